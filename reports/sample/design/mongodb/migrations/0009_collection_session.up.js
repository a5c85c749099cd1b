db.createCollection("session");
