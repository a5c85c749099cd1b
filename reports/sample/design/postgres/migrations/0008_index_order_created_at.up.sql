CREATE INDEX "order_created_at" ON "order" ("created_at") INCLUDE ("total");
