CREATE INDEX "session_expiry_expires_at" ON "session" ("expires_at");
