-- migrate: compatible with 20261126200000_analyze_products

-- The spelling of a category, registered if it is new. Its row is kept until the end of the transaction, as by a foreign
-- key: otherwise a cleanup could remove it before the product is visible.
CREATE OR REPLACE FUNCTION register_category(p_category TEXT, p_owner_id INTEGER) RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE
  found_row categories;
BEGIN
  LOOP
    SELECT * INTO found_row FROM categories WHERE key = category_key(p_category) FOR KEY SHARE;
    EXIT WHEN FOUND;
    INSERT INTO categories (key, name, owner_id) VALUES (category_key(p_category), normalize(p_category), p_owner_id)
        ON CONFLICT DO NOTHING;
  END LOOP;
  IF found_row.owner_id <> p_owner_id THEN
    UPDATE categories SET owner_id = NULL WHERE id = found_row.id AND owner_id IS NOT NULL;
  END IF;
  RETURN found_row.name;
END $$;

-- Looks at the next categories by their keys and removes those without products. Returns the last key that it has looked at,
-- NULL after the last of all. Each statement sees what was committed before it: a product that was added before the lock is
-- counted by the second check, and none is added until the transaction ends.
CREATE FUNCTION remove_unused_categories(p_after TEXT, p_limit INTEGER) RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE
  seen   TEXT[];
  locked INTEGER[];
BEGIN
  SELECT array_agg(key ORDER BY key) INTO seen
    FROM (SELECT key FROM categories WHERE key > p_after ORDER BY key LIMIT p_limit) AS c;
  SELECT array_agg(id) INTO locked
    FROM (SELECT id FROM categories AS c
           WHERE key = ANY (seen) AND NOT EXISTS (SELECT FROM category_counts WHERE category = c.name)
             FOR UPDATE SKIP LOCKED) AS c;
  DELETE FROM categories AS c
   WHERE id = ANY (locked) AND NOT EXISTS (SELECT FROM category_counts WHERE category = c.name);
  RETURN seen[cardinality(seen)];
END $$;
