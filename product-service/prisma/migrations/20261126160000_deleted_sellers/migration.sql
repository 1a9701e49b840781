-- migrate: compatible with 20261126150000_search_by_words_only
-- How far the changes of accounts have been read for deletions, in the one row.
CREATE TABLE account_feed (
  only_row BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (only_row),
  cursor   TEXT NOT NULL
);
CREATE TABLE deleted_users (
  user_id  INTEGER PRIMARY KEY,
  noted_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- The lock of one seller's products, held until the end of the transaction: shared by those that add some, alone by the
-- one that removes them because the seller was deleted.
CREATE FUNCTION lock_seller(p_user INTEGER, p_alone BOOLEAN) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF p_alone THEN
    PERFORM pg_advisory_xact_lock('deleted_users'::regclass::oid::int, p_user);
  ELSE
    PERFORM pg_advisory_xact_lock_shared('deleted_users'::regclass::oid::int, p_user);
  END IF;
END $$;

-- A deleted user's token is good for some seconds more, and an import that it began goes on: what they add is deleted at
-- once. With the lock a deletion is either seen here, or its job begins when these products can be seen.
-- Runs after note_new_products (triggers run in the order of their names), which counts the products that this removes.
CREATE FUNCTION remove_products_of_deleted_users() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE
  seller INTEGER;
BEGIN
  FOR seller IN SELECT DISTINCT owner_id FROM added ORDER BY owner_id LOOP
    PERFORM lock_seller(seller, FALSE);
    IF EXISTS (SELECT FROM deleted_users WHERE user_id = seller) THEN
      UPDATE products
         SET deleted_at = now(), updated_at = now(), version = version + 1, catalogue_version = catalogue_version + 1
       WHERE id IN (SELECT id FROM added WHERE owner_id = seller);
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER remove_products_of_deleted_users AFTER INSERT ON products REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION remove_products_of_deleted_users();
