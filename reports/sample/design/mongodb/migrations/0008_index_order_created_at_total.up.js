db.getCollection("order").createIndex({ created_at: 1, total: 1 }, { name: "created_at_total" });
