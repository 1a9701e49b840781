-- migrate: compatible with 20261127000000_statistics_from_orders
-- migrate: alone
-- orders_of_user_in_status serves the same queries.
DROP INDEX CONCURRENTLY IF EXISTS orders_of_user_by_status;
