db.getCollection("order").dropIndex("created_at_total");
