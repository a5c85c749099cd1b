CREATE TABLE "customer" (
  "id" uuid NOT NULL,
  "email" text COLLATE "C" NOT NULL,
  "country" text COLLATE "C" NOT NULL CHECK ("country" IN ('US', 'DE', 'GB', 'FR', 'JP')),
  "created_at" timestamptz NOT NULL,
  CONSTRAINT "customer_pkey" PRIMARY KEY ("id")
);
