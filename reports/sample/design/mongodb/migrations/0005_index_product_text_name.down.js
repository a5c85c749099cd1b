db.getCollection("product").dropIndex("text_name");
