-- Products as they are at the moment of the call, also what the functions called before it in one statement have changed:
-- a VOLATILE function looks anew, the statement around it keeps what it saw at its beginning.
CREATE FUNCTION products_now(p_ids INTEGER[]) RETURNS SETOF products LANGUAGE sql VOLATILE AS $$
  SELECT * FROM products WHERE id = ANY (p_ids) AND deleted_at IS NULL ORDER BY id;
$$;
