DROP TABLE "order_item";
