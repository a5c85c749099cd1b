db.getCollection("product").drop();
