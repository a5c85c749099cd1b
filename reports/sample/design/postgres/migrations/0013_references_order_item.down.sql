ALTER TABLE "order_item" DROP CONSTRAINT "order_item_product_id_fkey", DROP CONSTRAINT "order_item_order_id_fkey";
