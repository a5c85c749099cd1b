CREATE TABLE "order" (
  "id" uuid NOT NULL,
  "customer_id" uuid NOT NULL,
  "status" text COLLATE "C" NOT NULL CHECK ("status" IN ('pending', 'paid', 'shipped', 'delivered', 'cancelled')),
  "total" numeric(16,2) NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  CONSTRAINT "order_pkey" PRIMARY KEY ("id")
);
