db.getCollection("customer").createIndex({ email: 1 }, { name: "email", unique: true });
