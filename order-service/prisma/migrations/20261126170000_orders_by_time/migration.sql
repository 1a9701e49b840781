-- migrate: compatible with 20261126160000_erasure
-- migrate: alone
-- Lists of everybody's orders between two times.
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_by_time ON orders (created_at, id) WHERE placement = 'PLACED';
