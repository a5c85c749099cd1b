db.getCollection("product").dropIndex("category_id_price_id_name");
