ALTER TABLE "order" DROP CONSTRAINT "order_customer_id_fkey";
