CREATE INDEX "product_category_id_price_id" ON "product" ("category_id", "price", "id") INCLUDE ("name");
