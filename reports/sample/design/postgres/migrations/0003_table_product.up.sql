CREATE TABLE "product" (
  "id" uuid NOT NULL,
  "category_id" integer NOT NULL,
  "name" text COLLATE "C" NOT NULL,
  "price" numeric(16,2) NOT NULL,
  "stock" bigint NOT NULL,
  "attributes" jsonb NOT NULL,
  CONSTRAINT "product_pkey" PRIMARY KEY ("id")
);
