-- migrate: compatible with 20261126200000_analyze_products

-- reserve_stock_batch as before (20261126170000_reserve_many_at_once says what it does), without two steps that most calls
-- do not need: the search for reservations of locked products if all products could be locked, and for further
-- reservations if there are none.
CREATE OR REPLACE FUNCTION reserve_stock_batch(
  p_ids UUID[], p_line_of INTEGER[], p_product_ids INTEGER[], p_quantities INTEGER[], p_actor TEXT, p_wait INTEGER,
  OUT reservations JSONB, OUT touched INTEGER[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_until TIMESTAMPTZ := clock_timestamp() + make_interval(secs => p_wait / 1000.0);
  v_left INTEGER;
  v_locked INTEGER[];
  v_missing INTEGER;
  v_busy INTEGER[] := '{}';
  v_plain INTEGER[];
  v_made JSONB;
  v_row public.reservations;
  v_products INTEGER[];
  v_quantities INTEGER[];
  v_n INTEGER;
BEGIN
  reservations := '[]';
  touched := '{}';

  -- The locks of all products, before anything is looked at. Nobody is waited for while another lock is held: no deadlock,
  -- and whoever waits for one product keeps no buyer of another one waiting. The subtransaction gives the locks back.
  WHILE p_wait > 0 LOOP
    BEGIN
      IF v_missing IS NOT NULL THEN
        -- Half of the time: a row is waited for twice, first at the head of its queue and then for its holder.
        v_left := extract(epoch FROM v_until - clock_timestamp()) * 500;
        PERFORM set_config('lock_timeout', greatest(v_left, 1)::TEXT, TRUE);
        PERFORM 1 FROM public.products WHERE id = v_missing FOR NO KEY UPDATE;
      END IF;
      SELECT array_agg(id) INTO v_locked FROM (
        SELECT id FROM public.products WHERE id = ANY (p_product_ids) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) AS l;
      SELECT min(id) INTO v_missing
        FROM public.products WHERE id = ANY (p_product_ids) AND id <> ALL (coalesce(v_locked, '{}'));
      EXIT WHEN v_missing IS NULL;
      RAISE SQLSTATE 'LOCKD';
    EXCEPTION
      WHEN SQLSTATE 'LOCKD' THEN EXIT WHEN clock_timestamp() >= v_until;
      WHEN lock_not_available THEN EXIT;
    END;
  END LOOP;
  IF p_wait <= 0 OR v_missing IS NOT NULL THEN
    SELECT array_agg(id) INTO v_locked FROM (
      SELECT id FROM public.products WHERE id = ANY (p_product_ids) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) AS l;
    IF NOT p_product_ids <@ coalesce(v_locked, '{}') THEN
      SELECT coalesce(array_agg(b.n), '{}'),
             coalesce(jsonb_agg(jsonb_build_object('id', p_ids[b.n], 'status', 'BUSY', 'lines', NULL, 'refusal', NULL,
                                                   'busy_product_id', b.product_id)), '[]')
        INTO v_busy, reservations
        FROM (SELECT i.n, min(i.product_id) AS product_id
                FROM unnest(p_line_of, p_product_ids) AS i (n, product_id)
                JOIN public.products p ON p.id = i.product_id AND p.id = ANY (p_product_ids)
                 AND p.id <> ALL (coalesce(v_locked, '{}'))
               GROUP BY i.n) AS b;
    END IF;
  END IF;

  -- The usual case: new ids, and products of which there is enough for all that is asked for here, in whatever order.
  SELECT array_agg(e.n) INTO v_plain
    FROM (SELECT i.n
            FROM (SELECT l.n, l.product_id, sum(l.quantity) OVER (PARTITION BY l.product_id) AS demand
                    FROM unnest(p_line_of, p_product_ids, p_quantities) AS l (n, product_id, quantity)
                   WHERE l.n <> ALL (v_busy)) AS i
            LEFT JOIN public.products p ON p.id = i.product_id AND p.id = ANY (p_product_ids) AND p.deleted_at IS NULL
           GROUP BY i.n HAVING bool_and(coalesce(p.stock >= i.demand, FALSE))) AS e
   WHERE NOT EXISTS (SELECT FROM public.reservations r WHERE r.id = p_ids[e.n]);
  IF v_plain IS NOT NULL THEN
    WITH items AS MATERIALIZED (
      SELECT i.* FROM unnest(p_line_of, p_product_ids, p_quantities) WITH ORDINALITY AS i (n, product_id, quantity, place)
       WHERE i.n = ANY (v_plain)
    ), taken AS (
      UPDATE public.products p
         SET stock = p.stock - d.quantity, version = p.version + 1, updated_at = now()
        FROM (SELECT i.product_id, sum(i.quantity)::INTEGER AS quantity FROM items i GROUP BY i.product_id) AS d
       WHERE p.id = d.product_id AND p.id = ANY (p_product_ids)
      RETURNING p.id, p.name, p.price_minor, p.owner_id, p.stock + d.quantity AS stock_before
    ), ledger AS (
      INSERT INTO public.stock_movements (product_id, delta, reason, actor, reference, stock_after)
      SELECT t.id, -i.quantity, 'reserved', p_actor, p_ids[i.n]::TEXT,
             t.stock_before - sum(i.quantity) OVER (PARTITION BY i.product_id ORDER BY i.place)
        FROM items i JOIN taken t ON t.id = i.product_id ORDER BY i.place
    ), made AS (
      INSERT INTO public.reservations (id, status, items, lines)
      SELECT p_ids[i.n], 'HELD',
             jsonb_agg(jsonb_build_object('product_id', i.product_id, 'quantity', i.quantity) ORDER BY i.product_id),
             jsonb_agg(jsonb_build_object('product_id', t.id, 'quantity', i.quantity, 'name', t.name,
                                          'price_minor', t.price_minor, 'owner_id', t.owner_id) ORDER BY t.id)
        FROM items i JOIN taken t ON t.id = i.product_id GROUP BY i.n
      RETURNING id, status, lines, refusal
    )
    SELECT (SELECT jsonb_agg(to_jsonb(made)) FROM made), (SELECT array_agg(id) FROM taken) INTO v_made, touched;
    reservations := reservations || v_made;
  END IF;
  IF cardinality(v_busy) + coalesce(cardinality(v_plain), 0) = cardinality(p_ids) THEN
    RETURN;
  END IF;

  -- The others one after another; their locks are there already.
  FOR v_n IN SELECT DISTINCT n FROM unnest(p_line_of) AS n
              WHERE n <> ALL (v_busy) AND n <> ALL (coalesce(v_plain, '{}')) ORDER BY n LOOP
    SELECT array_agg(i.product_id ORDER BY i.product_id), array_agg(i.quantity ORDER BY i.product_id)
      INTO v_products, v_quantities
      FROM unnest(p_line_of, p_product_ids, p_quantities) AS i (n, product_id, quantity) WHERE i.n = v_n;
    v_row := reserve_stock(p_ids[v_n], v_products, v_quantities, p_actor);
    reservations := reservations || CASE WHEN v_row.id IS NULL
      THEN jsonb_build_object('id', p_ids[v_n], 'status', 'MISMATCH', 'lines', NULL, 'refusal', NULL)
      ELSE jsonb_build_object('id', v_row.id, 'status', v_row.status, 'lines', v_row.lines, 'refusal', v_row.refusal) END;
    IF v_row.lines IS NOT NULL THEN
      touched := touched || v_products;
    END IF;
  END LOOP;
END $$;
