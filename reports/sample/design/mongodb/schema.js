db.createCollection("customer");

db.getCollection("customer").createIndex({ email: 1 }, { name: "email", unique: true });

db.createCollection("product");

db.getCollection("product").createIndex({ category_id: 1, price: 1, _id: 1, name: 1 }, { name: "category_id_price_id_name" });

db.getCollection("product").createIndex({ name: "text" }, { name: "text_name", default_language: "none", language_override: "_language" });

db.createCollection("order");

db.getCollection("order").createIndex({ customer_id: 1, created_at: -1, _id: -1 }, { name: "customer_id_created_at_id" });

db.getCollection("order").createIndex({ created_at: 1, total: 1 }, { name: "created_at_total" });

db.createCollection("session");

db.getCollection("session").createIndex({ _expires_natively_at: 1 }, { name: "expiry_expires_at", expireAfterSeconds: 0 });
