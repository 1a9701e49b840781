-- migrate: compatible with 20261126200000_analyze_products

-- Takes the place of reserve_stock_batch, which stays for replicas of the release before. Many reservations in one call,
-- each all or nothing and decided separately. p_line_of[i] says which of p_ids the i-th line belongs to; the products of one
-- reservation are distinct and ascending.
-- p_wait: milliseconds to wait for products that another transaction locks. What is still locked then is BUSY, untouched,
-- with one of its locked products; the other reservations are made.
-- reservations: [{id, status, lines, refusal}], status HELD, CONFIRMED, RELEASED, MISMATCH (the id belongs to other items)
-- or BUSY, in any order. touched: the products, as they are now, whose stock was changed now or by an earlier call of the
-- same id.
-- A concurrent call with the same id fails with 23505 and changes nothing.
CREATE FUNCTION reserve_baskets(
  p_ids UUID[], p_line_of INTEGER[], p_product_ids INTEGER[], p_quantities INTEGER[], p_actor TEXT, p_wait INTEGER,
  OUT reservations JSONB, OUT touched public.products[])
-- Plans are made when the tables are still small, and kept: without this they would read whole tables until the next ANALYZE.
LANGUAGE plpgsql SET enable_seqscan = off AS $$
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
  v_touched INTEGER[] := '{}';
  v_n INTEGER;
BEGIN
  reservations := '[]';

  -- The locks of all products, before anything is changed. Nobody is waited for while another lock is held: no deadlock,
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

  -- The usual case is `plain`: new ids, and products of which there is enough for all that is asked for here, in whatever
  -- order. A locking SELECT returns each row as it is once it is locked.
  WITH known AS MATERIALIZED (
    SELECT id FROM public.reservations WHERE id = ANY (p_ids)
  ), locked AS MATERIALIZED (
    SELECT id, CASE WHEN deleted_at IS NULL THEN stock END AS stock
      FROM public.products WHERE id = ANY (p_product_ids) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
  ), plain AS (
    SELECT i.n
      FROM (SELECT l.n, l.product_id, sum(l.quantity) OVER (PARTITION BY l.product_id) AS demand
              FROM unnest(p_line_of, p_product_ids, p_quantities) AS l (n, product_id, quantity)) AS i
      LEFT JOIN locked ON locked.id = i.product_id
     GROUP BY i.n HAVING bool_and(coalesce(locked.stock >= i.demand, FALSE))
  )
  SELECT (SELECT array_agg(id) FROM locked),
         (SELECT array_agg(n) FROM plain WHERE NOT EXISTS (SELECT FROM known WHERE known.id = p_ids[n]))
    INTO v_locked, v_plain;

  IF v_plain IS NOT NULL THEN
    WITH items AS MATERIALIZED (
      SELECT i.* FROM unnest(p_line_of, p_product_ids, p_quantities) WITH ORDINALITY AS i (n, product_id, quantity, place)
       WHERE i.n = ANY (v_plain)
    ), taken AS (
      UPDATE public.products p
         SET stock = p.stock - d.quantity, version = p.version + 1, updated_at = now()
        FROM (SELECT i.product_id, sum(i.quantity)::INTEGER AS quantity FROM items i GROUP BY i.product_id) AS d
       WHERE p.id = d.product_id AND p.id = ANY (p_product_ids)
      RETURNING p AS product, p.id, p.name, p.price_minor, p.owner_id, p.stock + d.quantity AS stock_before
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
    SELECT (SELECT jsonb_agg(to_jsonb(made)) FROM made), (SELECT array_agg(product) FROM taken)
      INTO reservations, touched;
  END IF;
  IF cardinality(v_plain) = cardinality(p_ids) THEN
    RETURN;
  END IF;

  SELECT coalesce(array_agg(b.n), '{}'),
         coalesce(jsonb_agg(jsonb_build_object('id', p_ids[b.n], 'status', 'BUSY', 'lines', NULL, 'refusal', NULL,
                                               'busy_product_id', b.product_id)), '[]')
    INTO v_busy, v_made
    FROM (SELECT i.n, min(i.product_id) AS product_id
            FROM unnest(p_line_of, p_product_ids) AS i (n, product_id)
            JOIN public.products p ON p.id = i.product_id AND p.id = ANY (p_product_ids)
             AND p.id <> ALL (coalesce(v_locked, '{}'))
           GROUP BY i.n) AS b;
  reservations := reservations || v_made;

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
      v_touched := v_touched || v_products;
    END IF;
  END LOOP;
  IF v_touched <> '{}' THEN
    SELECT array_agg(p) INTO touched FROM public.products p
     WHERE id = ANY (v_touched || ARRAY(SELECT id FROM unnest(touched))) AND deleted_at IS NULL;
  END IF;
END $$;
