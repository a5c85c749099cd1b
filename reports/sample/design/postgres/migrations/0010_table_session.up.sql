CREATE TABLE "session" (
  "id" uuid NOT NULL,
  "payload" bytea NOT NULL,
  "expires_at" timestamptz NOT NULL,
  CONSTRAINT "session_pkey" PRIMARY KEY ("id")
);
