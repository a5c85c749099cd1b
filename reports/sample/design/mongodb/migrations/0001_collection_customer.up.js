db.createCollection("customer");
