db.getCollection("session").createIndex({ _expires_natively_at: 1 }, { name: "expiry_expires_at", expireAfterSeconds: 0 });
