DROP INDEX "order_customer_id_created_at_id";
