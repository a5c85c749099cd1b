db.getCollection("product").createIndex({ name: "text" }, { name: "text_name", default_language: "none", language_override: "_language" });
