CREATE INDEX "order_customer_id_created_at_id" ON "order" ("customer_id", "created_at" DESC, "id" DESC);
