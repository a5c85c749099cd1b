db.getCollection("session").dropIndex("expiry_expires_at");
