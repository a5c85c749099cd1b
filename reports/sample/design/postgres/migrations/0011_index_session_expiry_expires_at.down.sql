DROP INDEX "session_expiry_expires_at";
