-- A trusted extension: the owner of a database may create it. Without the server's contrib package this fails by name.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- Room for the new version of a row beside the old one: a change of stock touches no index then. The tables' rewrite
-- below applies it. `available` changes only when a stock passes zero, so that an index on it leaves that as it is.
ALTER TABLE products SET (fillfactor = 90);
ALTER TABLE products
  ADD COLUMN available BOOLEAN GENERATED ALWAYS AS (stock > 0) STORED,
  ADD COLUMN search TSVECTOR GENERATED ALWAYS AS (
    setweight(to_tsvector('simple', name), 'A') ||
    setweight(to_tsvector('simple', category || ' ' || coalesce(sku, '')), 'B') ||
    setweight(to_tsvector('simple', coalesce(description, '')), 'C')
  ) STORED;

-- Lists. products_listed_id did what the primary key does as well.
DROP INDEX products_listed_id;
CREATE INDEX products_listed_category_price ON products (category, price_minor, id) INCLUDE (available) WHERE deleted_at IS NULL;
CREATE INDEX products_listed_sold_out ON products (id) WHERE NOT available AND deleted_at IS NULL;

-- Search. GIN finds all rows of a word before it answers the first one, which takes 100 ms for a word that half of a
-- million products have. So words are indexed per segment of 65,536 ids (`15/kettle`), and a search goes from
-- segment to segment, the newest first, until it has enough. The cost keeps the planner from computing terms instead of
-- looking them up.
CREATE FUNCTION search_terms(search TSVECTOR, id INTEGER) RETURNS TSVECTOR
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS $$
  SELECT array_to_tsvector(ARRAY(SELECT (id >> 16) || '/' || word FROM unnest(tsvector_to_array(search)) AS word))
$$;
-- Without a list of pending entries, which every segment's look-up would have to read.
CREATE INDEX products_found ON products USING gin (search_terms(search, id)) WITH (fastupdate = off) WHERE deleted_at IS NULL;

-- A query as it finds the search_terms of one segment: the number goes behind each opening quote.
CREATE FUNCTION search_query_in(query TSQUERY, segment INTEGER) RETURNS TSQUERY
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT regexp_replace(query::text, '''((?:[^'']|'''')+)''', '''' || segment || '/\1''', 'g')::tsquery
$$;

-- How well a product answers a query, as a distance: the lower the better. Whole words count beside prefixes.
CREATE FUNCTION search_distance(search TSVECTOR, query TSQUERY) RETURNS REAL
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT -(ts_rank(search, query) + ts_rank(search, replace(query::text, ':*', '')::tsquery))
$$;

-- The words of names, categories and SKUs: far fewer than products. Nobody mistypes what has digits in a way that
-- trigrams find. A word stays when its last product goes.
CREATE TABLE product_words (
  word TEXT COLLATE "C" PRIMARY KEY
);
CREATE INDEX product_words_similar ON product_words USING gin (word gin_trgm_ops) WITH (fastupdate = off);

CREATE FUNCTION words_of(name TEXT, category TEXT, sku TEXT) RETURNS SETOF TEXT
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT word FROM unnest(tsvector_to_array(to_tsvector('simple', concat_ws(' ', name, category, sku)))) AS word
   WHERE length(word) BETWEEN 3 AND 40 AND word !~ '[[:digit:]]'
$$;

-- All words of a text, each as a prefix, but for those that are known words and not the last one: whoever goes on to the
-- next word has written the one before to its end, and a prefix costs as much as all words that begin with it. NULL
-- for a text without words.
CREATE FUNCTION search_query(q TEXT) RETURNS TSQUERY LANGUAGE plpgsql STABLE STRICT AS $$
BEGIN
  RETURN (
    WITH words AS (
      SELECT quoted, place, max(place) OVER () AS last
        FROM unnest(string_to_array(plainto_tsquery('simple', q)::text, ' & ')) WITH ORDINALITY AS w (quoted, place)
    )
    SELECT string_agg(quoted || CASE WHEN place < last AND known.word IS NOT NULL THEN '' ELSE ':*' END, ' & ')::tsquery
      FROM words LEFT JOIN product_words AS known ON known.word = trim(BOTH '''' FROM quoted)
  );
END $$;

-- The query with up to three similar words beside each word that begins no known one. NULL when there are none.
CREATE FUNCTION corrected_query(q TEXT) RETURNS TSQUERY LANGUAGE plpgsql STABLE STRICT AS $$
BEGIN
  RETURN (
    WITH words AS (
      SELECT typed.word, ARRAY(
        SELECT known.word FROM product_words AS known
         WHERE known.word % typed.word
           AND NOT starts_with((SELECT min(word) FROM product_words WHERE word >= typed.word COLLATE "C"), typed.word)
         ORDER BY similarity(known.word, typed.word) DESC, known.word LIMIT 3
      ) AS similar_words
        FROM unnest(tsvector_to_array(to_tsvector('simple', q))) AS typed (word)
    )
    SELECT string_agg('(' || concat_ws(' | ', search_query(word)::text, (
             SELECT string_agg(plainto_tsquery('simple', known)::text, ' | ') FROM unnest(similar_words) AS known
           )) || ')', ' & ')::tsquery
      FROM words HAVING bool_or(cardinality(similar_words) > 0)
  );
END $$;

-- How many products a category has, so that nobody has to count a million rows: the sum over its slots, of which each
-- connection uses one. Connections do not wait for each other, as they would for one row.
CREATE TABLE category_counts (
  category TEXT COLLATE "C" NOT NULL,
  slot     INTEGER NOT NULL,
  products BIGINT NOT NULL,
  PRIMARY KEY (category, slot)
) WITH (fillfactor = 50);

CREATE FUNCTION own_slot() RETURNS INTEGER LANGUAGE sql STABLE AS $$ SELECT pg_backend_pid() % 32 $$;

-- Both sorted, so that statements that overlap do not lock rows in opposite orders.
CREATE FUNCTION note_new_products() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO category_counts AS c (category, slot, products)
  SELECT category, own_slot(), count(*) FROM added WHERE deleted_at IS NULL GROUP BY category ORDER BY category
      ON CONFLICT (category, slot) DO UPDATE SET products = c.products + excluded.products;
  INSERT INTO product_words SELECT DISTINCT words_of(name, category, sku) AS word FROM added ORDER BY word ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE FUNCTION note_changed_product() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO category_counts AS c (category, slot, products)
  SELECT category, own_slot(), sum(change)
    FROM (VALUES (OLD.category, OLD.deleted_at, -1), (NEW.category, NEW.deleted_at, 1)) AS v (category, deleted_at, change)
   WHERE deleted_at IS NULL GROUP BY category HAVING sum(change) <> 0 ORDER BY category
      ON CONFLICT (category, slot) DO UPDATE SET products = c.products + excluded.products;
  INSERT INTO product_words SELECT words_of(NEW.name, NEW.category, NEW.sku) AS word ORDER BY word ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE TRIGGER note_new_products AFTER INSERT ON products REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION note_new_products();
CREATE TRIGGER note_changed_product AFTER UPDATE OF name, category, sku, deleted_at ON products
  FOR EACH ROW WHEN ((OLD.name, OLD.category, OLD.sku, OLD.deleted_at) IS DISTINCT FROM (NEW.name, NEW.category, NEW.sku, NEW.deleted_at))
  EXECUTE FUNCTION note_changed_product();

INSERT INTO category_counts SELECT category, 0, count(*) FROM products WHERE deleted_at IS NULL GROUP BY category;
INSERT INTO product_words SELECT DISTINCT words_of(name, category, sku) FROM products;
