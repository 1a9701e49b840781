-- migrate: compatible with 20261126200000_analyze_products

-- A slot of category_counts that no other transaction writes before this one ends. So counts may be changed in any order:
-- no transaction waits for another one's. Row triggers count the changes of a statement row by row; a statement trigger
-- would need transition tables, which would also be filled by each change of stock. Beyond 64 transactions slots are shared.
CREATE OR REPLACE FUNCTION own_slot() RETURNS INTEGER LANGUAGE plpgsql AS $$
BEGIN
  FOR slot IN 0..63 LOOP
    IF pg_try_advisory_xact_lock('category_counts'::regclass::oid::int, slot) THEN
      RETURN slot;
    END IF;
  END LOOP;
  RETURN pg_backend_pid() % 64;
END $$;

-- Rows of a category whose sum is zero, of slots that no other transaction writes. The others stay for the next time.
CREATE OR REPLACE FUNCTION drop_empty_category(p_category TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT sum(products) FROM category_counts WHERE category = p_category) <> 0 THEN
    RETURN;
  END IF;
  WITH held AS MATERIALIZED (
    SELECT slot, products FROM category_counts
     WHERE category = p_category AND pg_try_advisory_xact_lock('category_counts'::regclass::oid::int, slot)
       FOR UPDATE SKIP LOCKED
  )
  DELETE FROM category_counts
   WHERE category = p_category AND slot IN (SELECT slot FROM held) AND (SELECT sum(products) FROM held) = 0;
END $$;
