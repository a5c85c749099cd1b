DROP INDEX "product_text_name";
