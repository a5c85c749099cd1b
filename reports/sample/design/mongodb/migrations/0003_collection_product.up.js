db.createCollection("product");
