-- migrate: compatible with 20261126180000_cache_trust

-- As before, but stock ends at what an INTEGER holds: a release that would pass it failed each time, and its job and
-- anti-entropy tried it again without end. Units beyond are not counted; the ledger row says how many came back.
CREATE OR REPLACE FUNCTION release_reservation(p_id UUID, p_actor TEXT, OUT changed BOOLEAN, OUT product_ids INTEGER[])
LANGUAGE plpgsql AS $$
DECLARE
  c_most CONSTANT BIGINT := 2147483647;
  v_row public.reservations;
BEGIN
  changed := FALSE;
  product_ids := '{}';
  INSERT INTO public.reservations (id, status) VALUES (p_id, 'RELEASED') ON CONFLICT (id) DO NOTHING;
  IF FOUND THEN
    RETURN;
  END IF;
  SELECT * INTO v_row FROM public.reservations WHERE id = p_id FOR UPDATE;
  IF v_row.status = 'RELEASED' THEN
    RETURN;
  END IF;
  SELECT array_agg((line ->> 'product_id')::INTEGER) INTO product_ids FROM jsonb_array_elements(v_row.lines) AS line;
  PERFORM 1 FROM public.products WHERE id = ANY (product_ids) ORDER BY id FOR NO KEY UPDATE;
  WITH found AS (
    SELECT p.id, p.stock, least(p.stock + (line ->> 'quantity')::BIGINT, c_most)::INTEGER AS stock_after
      FROM jsonb_array_elements(v_row.lines) AS line JOIN public.products p ON p.id = (line ->> 'product_id')::INTEGER
  ), returned AS (
    UPDATE public.products p SET stock = found.stock_after, version = p.version + 1, updated_at = now()
      FROM found WHERE p.id = found.id
    RETURNING p.id, found.stock_after - found.stock AS quantity, p.stock
  )
  INSERT INTO public.stock_movements (product_id, delta, reason, actor, reference, stock_after)
  SELECT id, quantity, 'released', p_actor, p_id::TEXT, stock FROM returned;
  UPDATE public.reservations SET status = 'RELEASED', updated_at = now() WHERE id = p_id;
  changed := TRUE;
END $$;
