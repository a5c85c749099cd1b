DROP INDEX "product_category_id_price_id";
