CREATE ROLE application;

GRANT SELECT, UPDATE ON "product" TO application;

GRANT SELECT, INSERT, UPDATE ON "order" TO application;

GRANT SELECT, INSERT ON "order_item" TO application;

GRANT SELECT, INSERT, UPDATE, DELETE ON "session" TO application;
