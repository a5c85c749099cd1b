CREATE TABLE "customer" (
  "id" uuid NOT NULL,
  "email" text COLLATE "C" NOT NULL,
  "country" text COLLATE "C" NOT NULL CHECK ("country" IN ('US', 'DE', 'GB', 'FR', 'JP')),
  "created_at" timestamptz NOT NULL,
  CONSTRAINT "customer_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "customer_email" ON "customer" ("email");

CREATE TABLE "product" (
  "id" uuid NOT NULL,
  "category_id" integer NOT NULL,
  "name" text COLLATE "C" NOT NULL,
  "price" numeric(16,2) NOT NULL,
  "stock" bigint NOT NULL,
  "attributes" jsonb NOT NULL,
  CONSTRAINT "product_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "product_category_id_price_id" ON "product" ("category_id", "price", "id") INCLUDE ("name");

CREATE INDEX "product_text_name" ON "product" USING gin (to_tsvector('simple', "name"));

CREATE TABLE "order" (
  "id" uuid NOT NULL,
  "customer_id" uuid NOT NULL,
  "status" text COLLATE "C" NOT NULL CHECK ("status" IN ('pending', 'paid', 'shipped', 'delivered', 'cancelled')),
  "total" numeric(16,2) NOT NULL,
  "created_at" timestamptz NOT NULL,
  "updated_at" timestamptz NOT NULL,
  CONSTRAINT "order_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "order_customer_id_created_at_id" ON "order" ("customer_id", "created_at" DESC, "id" DESC);

CREATE INDEX "order_created_at" ON "order" ("created_at") INCLUDE ("total");

CREATE TABLE "order_item" (
  "order_id" uuid NOT NULL,
  "line" integer NOT NULL,
  "product_id" uuid NOT NULL,
  "quantity" integer NOT NULL,
  "unit_price" numeric(16,2) NOT NULL,
  CONSTRAINT "order_item_pkey" PRIMARY KEY ("order_id", "line")
);

CREATE TABLE "session" (
  "id" uuid NOT NULL,
  "payload" bytea NOT NULL,
  "expires_at" timestamptz NOT NULL,
  CONSTRAINT "session_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "session_expiry_expires_at" ON "session" ("expires_at");

ALTER TABLE "order" ADD CONSTRAINT "order_customer_id_fkey" FOREIGN KEY ("customer_id") REFERENCES "customer" ("id");

ALTER TABLE "order_item" ADD CONSTRAINT "order_item_product_id_fkey" FOREIGN KEY ("product_id") REFERENCES "product" ("id"), ADD CONSTRAINT "order_item_order_id_fkey" FOREIGN KEY ("order_id") REFERENCES "order" ("id") ON DELETE CASCADE;
