db.getCollection("session").drop();
