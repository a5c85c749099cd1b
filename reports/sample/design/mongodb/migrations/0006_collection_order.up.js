db.createCollection("order");
