-- migrate: compatible with 20261126190000_release_past_the_bound

-- The planner chooses the way of a search by its statistics, which an import makes outdated before autovacuum looks. Only the
-- owner may analyze a table, and services need not own it.
CREATE FUNCTION analyze_products() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  ANALYZE products;
END
$$;
