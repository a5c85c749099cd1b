db.getCollection("order").createIndex({ customer_id: 1, created_at: -1, _id: -1 }, { name: "customer_id_created_at_id" });
