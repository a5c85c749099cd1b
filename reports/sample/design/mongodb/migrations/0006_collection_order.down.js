db.getCollection("order").drop();
