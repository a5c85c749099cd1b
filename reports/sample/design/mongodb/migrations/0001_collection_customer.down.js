db.getCollection("customer").drop();
