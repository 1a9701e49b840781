CREATE TABLE products (
  id          SERIAL PRIMARY KEY,
  name        TEXT NOT NULL,
  description TEXT,
  price_minor BIGINT NOT NULL CHECK (price_minor >= 0),
  stock       INTEGER NOT NULL CONSTRAINT products_stock_check CHECK (stock >= 0),
  category    TEXT NOT NULL,
  sku         TEXT,
  image_url   TEXT,
  owner_id    INTEGER NOT NULL,
  version     INTEGER NOT NULL DEFAULT 1,
  created_at  TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  updated_at  TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  deleted_at  TIMESTAMPTZ(3)
);
CREATE UNIQUE INDEX products_sku_key ON products (sku) WHERE deleted_at IS NULL;
CREATE INDEX products_listed_id ON products (id) WHERE deleted_at IS NULL;
CREATE INDEX products_listed_category ON products (category, id) WHERE deleted_at IS NULL;
CREATE INDEX products_listed_price ON products (price_minor, id) WHERE deleted_at IS NULL;
CREATE INDEX products_listed_name ON products (name, id) WHERE deleted_at IS NULL;
CREATE INDEX products_listed_created_at ON products (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX products_listed_owner ON products (owner_id, id) WHERE deleted_at IS NULL;

CREATE TABLE stock_movements (
  id          BIGSERIAL PRIMARY KEY,
  product_id  INTEGER NOT NULL REFERENCES products (id) ON DELETE RESTRICT ON UPDATE CASCADE,
  delta       INTEGER NOT NULL,
  reason      TEXT NOT NULL,
  actor       TEXT NOT NULL,
  reference   TEXT,
  stock_after INTEGER NOT NULL,
  created_at  TIMESTAMPTZ(3) NOT NULL DEFAULT now()
);
CREATE INDEX stock_movements_product_id_id_idx ON stock_movements (product_id, id);

CREATE TABLE reservations (
  id         UUID PRIMARY KEY,
  status     TEXT NOT NULL CHECK (status IN ('HELD', 'CONFIRMED', 'RELEASED')),
  items      JSONB,
  lines      JSONB,
  refusal    JSONB,
  created_at TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  updated_at TIMESTAMPTZ(3) NOT NULL DEFAULT now()
);
-- Anti-entropy asks for what is held too long.
CREATE INDEX reservations_held ON reservations (created_at) WHERE status = 'HELD';

-- Takes all of the items or nothing, in one round trip, and remembers either under the reservation's id: called again it
-- answers the same. The rows are locked in id order, so that baskets in opposite orders cannot deadlock.
-- p_product_ids: distinct, ascending; p_quantities: as many. Answers the reservation's row, or NULL when the id stands
-- for other items. A concurrent call with the same id and other products fails with 23505 and changes nothing.
CREATE FUNCTION reserve_stock(p_id UUID, p_product_ids INTEGER[], p_quantities INTEGER[], p_actor TEXT)
RETURNS reservations LANGUAGE plpgsql AS $$
DECLARE
  v_row reservations;
  v_items JSONB;
  v_refusal JSONB;
BEGIN
  SELECT jsonb_agg(jsonb_build_object('product_id', i.product_id, 'quantity', i.quantity) ORDER BY i.product_id) INTO v_items
    FROM unnest(p_product_ids, p_quantities) AS i (product_id, quantity);

  PERFORM 1 FROM products WHERE id = ANY (p_product_ids) ORDER BY id FOR NO KEY UPDATE;

  -- Looked up behind the locks: a call with the same id and items has then ended.
  SELECT * INTO v_row FROM reservations WHERE id = p_id;
  IF FOUND THEN
    IF v_row.items IS NOT NULL AND v_row.items <> v_items THEN
      RETURN NULL;
    END IF;
    RETURN v_row;
  END IF;

  SELECT jsonb_agg(jsonb_build_object('product_id', i.product_id, 'requested', i.quantity, 'available', p.stock)
                   ORDER BY i.product_id) INTO v_refusal
    FROM unnest(p_product_ids, p_quantities) AS i (product_id, quantity)
    LEFT JOIN products p ON p.id = i.product_id AND p.deleted_at IS NULL
   WHERE p.id IS NULL OR p.stock < i.quantity;
  IF v_refusal IS NOT NULL THEN
    INSERT INTO reservations (id, status, items, refusal) VALUES (p_id, 'RELEASED', v_items, v_refusal)
      RETURNING * INTO v_row;
    RETURN v_row;
  END IF;

  WITH taken AS (
    UPDATE products p
       SET stock = p.stock - i.quantity, version = p.version + 1, updated_at = now()
      FROM unnest(p_product_ids, p_quantities) AS i (product_id, quantity)
     WHERE p.id = i.product_id
    RETURNING p.id, p.name, p.price_minor, p.owner_id, p.stock, i.quantity
  ), ledger AS (
    INSERT INTO stock_movements (product_id, delta, reason, actor, reference, stock_after)
    SELECT id, -quantity, 'reserved', p_actor, p_id::TEXT, stock FROM taken
  )
  INSERT INTO reservations (id, status, items, lines)
  SELECT p_id, 'HELD', v_items,
         jsonb_agg(jsonb_build_object('product_id', id, 'quantity', quantity, 'name', name,
                                      'price_minor', price_minor, 'owner_id', owner_id) ORDER BY id)
    FROM taken
  RETURNING * INTO v_row;
  RETURN v_row;
END $$;

-- Gives back what the reservation holds, once. An id that was never seen gets a tombstone: a reserve that arrives
-- later is refused. `changed` tells whether stock came back now.
CREATE FUNCTION release_reservation(p_id UUID, p_actor TEXT, OUT changed BOOLEAN, OUT product_ids INTEGER[])
LANGUAGE plpgsql AS $$
DECLARE
  v_row reservations;
BEGIN
  changed := FALSE;
  product_ids := '{}';
  INSERT INTO reservations (id, status) VALUES (p_id, 'RELEASED') ON CONFLICT (id) DO NOTHING;
  IF FOUND THEN
    RETURN;
  END IF;
  SELECT * INTO v_row FROM reservations WHERE id = p_id FOR UPDATE;
  IF v_row.status = 'RELEASED' THEN
    RETURN;
  END IF;
  SELECT array_agg((line ->> 'product_id')::INTEGER) INTO product_ids FROM jsonb_array_elements(v_row.lines) AS line;
  PERFORM 1 FROM products WHERE id = ANY (product_ids) ORDER BY id FOR NO KEY UPDATE;
  WITH returned AS (
    UPDATE products p
       SET stock = p.stock + (line ->> 'quantity')::INTEGER, version = p.version + 1, updated_at = now()
      FROM jsonb_array_elements(v_row.lines) AS line
     WHERE p.id = (line ->> 'product_id')::INTEGER
    RETURNING p.id, (line ->> 'quantity')::INTEGER AS quantity, p.stock
  )
  INSERT INTO stock_movements (product_id, delta, reason, actor, reference, stock_after)
  SELECT id, quantity, 'released', p_actor, p_id::TEXT, stock FROM returned;
  UPDATE reservations SET status = 'RELEASED', updated_at = now() WHERE id = p_id;
  changed := TRUE;
END $$;
