-- Orders with products of a seller, newest first.
-- migrate: compatible with 20261123120000_init
-- migrate: alone
CREATE INDEX CONCURRENTLY IF NOT EXISTS order_lines_of_seller ON order_lines (seller_id, order_id DESC);
