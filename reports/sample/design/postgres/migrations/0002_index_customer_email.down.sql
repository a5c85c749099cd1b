DROP INDEX "customer_email";
