db.getCollection("product").createIndex({ category_id: 1, price: 1, _id: 1, name: 1 }, { name: "category_id_price_id_name" });
