CREATE INDEX "product_text_name" ON "product" USING gin (to_tsvector('simple', "name"));
