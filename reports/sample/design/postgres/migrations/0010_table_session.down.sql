DROP TABLE "session";
