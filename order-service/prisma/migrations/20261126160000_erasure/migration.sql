-- migrate: compatible with 20261126150000_orders_of_sellers
-- How far the changes of accounts have been read for deletions, in the one row.
CREATE TABLE account_feed (
  only_row BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (only_row),
  cursor   TEXT NOT NULL
);
CREATE TABLE deleted_users (
  user_id  INTEGER PRIMARY KEY,
  noted_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- The stored response of the request that placed an order, without what is personal.
CREATE FUNCTION erase_stored_response(of_order INTEGER) RETURNS void LANGUAGE sql AS $$
  UPDATE idempotency_keys
     SET answer_body = jsonb_set(jsonb_set(answer_body::jsonb, '{order,shipping_address}', 'null', FALSE),
                                 '{order,note}', 'null', FALSE)::text
   WHERE order_id = of_order AND answer_status = 201 AND answer_body IS NOT NULL
$$;
CREATE INDEX idempotency_keys_order_id ON idempotency_keys (order_id);

-- The order of a deleted user ends: in the transaction that ends it. The row is locked by then, and the deletion is
-- either seen here, or the job that erases waits for this transaction and sees the ended order.
CREATE FUNCTION erase_at_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM deleted_users WHERE user_id = NEW.user_id) THEN
    NEW.shipping_address := NULL;
    NEW.note := NULL;
    PERFORM erase_stored_response(NEW.id);
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER erase_at_end BEFORE UPDATE OF status, placement ON orders FOR EACH ROW
  WHEN (NEW.status IN ('delivered', 'cancelled') OR NEW.placement = 'REJECTED') EXECUTE FUNCTION erase_at_end();

-- migrate: alone
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_with_personal_data ON orders (user_id, id)
  WHERE shipping_address IS NOT NULL OR note IS NOT NULL;
