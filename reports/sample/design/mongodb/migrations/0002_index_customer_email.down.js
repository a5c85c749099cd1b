db.getCollection("customer").dropIndex("email");
