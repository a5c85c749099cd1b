CREATE TABLE "order_item" (
  "order_id" uuid NOT NULL,
  "line" integer NOT NULL,
  "product_id" uuid NOT NULL,
  "quantity" integer NOT NULL,
  "unit_price" numeric(16,2) NOT NULL,
  CONSTRAINT "order_item_pkey" PRIMARY KEY ("order_id", "line")
);
