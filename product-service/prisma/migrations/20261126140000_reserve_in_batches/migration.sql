-- `version` goes on counting every change of a row, stock included: caches and ETags order by it. This one counts
-- changes of the catalogue's fields only; clients see it as the product's version.
ALTER TABLE products ADD COLUMN catalogue_version INTEGER NOT NULL DEFAULT 1;

-- Many reservations in one call, each all or nothing and decided by itself. p_line_of[i] says which of p_ids the i-th line
-- belongs to; the products of one reservation are distinct and ascending.
-- p_wait: milliseconds to wait for products that somebody else holds locked. With 0, reservations of such products come
-- back as BUSY, untouched, and the others are made; otherwise all come back as BUSY once the time is over.
-- reservations: [{id, status, lines, refusal}], status HELD, CONFIRMED, RELEASED, MISMATCH (the id stands for other items)
-- or BUSY, in any order. products: ids of the products whose stock was changed now or by an earlier call of the same id.
-- A concurrent call with the same id and other products fails with 23505 and changes nothing.
CREATE FUNCTION reserve_stock_batch(
  p_ids UUID[], p_line_of INTEGER[], p_product_ids INTEGER[], p_quantities INTEGER[], p_actor TEXT, p_wait INTEGER,
  OUT reservations JSONB, OUT touched INTEGER[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_row public.reservations;
  v_products INTEGER[];
  v_quantities INTEGER[];
  v_locked INTEGER[];
  v_busy INTEGER[];
  v_n INTEGER;
BEGIN
  reservations := '[]';
  touched := '{}';

  -- All products of all reservations, in id order, before anything is looked at.
  IF p_wait > 0 THEN
    BEGIN
      PERFORM set_config('lock_timeout', p_wait::TEXT, TRUE);
      PERFORM 1 FROM public.products WHERE id = ANY (p_product_ids) ORDER BY id FOR NO KEY UPDATE;
    EXCEPTION WHEN lock_not_available THEN
      SELECT jsonb_agg(jsonb_build_object('id', id, 'status', 'BUSY', 'lines', NULL, 'refusal', NULL))
        INTO reservations FROM unnest(p_ids) AS id;
      RETURN;
    END;
  ELSE
    SELECT array_agg(id) INTO v_locked FROM (
      SELECT id FROM public.products WHERE id = ANY (p_product_ids) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED) AS l;
    SELECT array_agg(DISTINCT i.n) INTO v_busy
      FROM unnest(p_line_of, p_product_ids) AS i (n, product_id)
      JOIN public.products p ON p.id = i.product_id AND p.id <> ALL (coalesce(v_locked, '{}'));
  END IF;

  FOR v_n IN SELECT DISTINCT n FROM unnest(p_line_of) AS n ORDER BY n LOOP
    IF v_n = ANY (v_busy) THEN
      reservations := reservations || jsonb_build_object('id', p_ids[v_n], 'status', 'BUSY', 'lines', NULL, 'refusal', NULL);
      CONTINUE;
    END IF;
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
