-- migrate: compatible with 20261126180000_cache_trust
-- migrate: alone
-- A buyer's orders of one status, newest first; with the total, so that statistics need no table of their own.
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_of_user_in_status
  ON orders (user_id, status, id DESC) INCLUDE (total_minor) WHERE placement = 'PLACED';
