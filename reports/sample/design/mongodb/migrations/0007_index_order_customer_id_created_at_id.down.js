db.getCollection("order").dropIndex("customer_id_created_at_id");
