DROP INDEX "order_created_at";
