-- Search by words as the HTTP contract defines them, categories in one spelling, names in language order. What the release
-- before reads stays in place until 20261126150000_search_by_words_only removes it.
-- migrate: compatible with 20261124230000_products_now
-- A trusted extension, as pg_trgm is.
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;

-- A text in the form in which it is compared: NFKC, case folded, accents dropped, words separated by single spaces.
-- Separators are all characters that are neither letter, number nor mark in Unicode 15, given as ranges because
-- [[:alnum:]] depends on the locale; ranges run on over characters that do not exist or are never left by NFKD.
CREATE FUNCTION search_fold(x TEXT) RETURNS TEXT LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
DECLARE
  separators CONSTANT TEXT := '[\u0001-\u002f\u003a-\u0060\u007b-\u00d7\u00f7\u02c2-\u02c5\u02d2-\u02eb\u02ed\u02ef-\u02ff\u0375\u03f6' ||
    '\u0482\u055a-\u055f\u0589-\u058f\u05be\u05c0\u05c3\u05c6\u05f3-\u060f\u061b-\u061f\u066a-\u066d\u06d4' ||
    '\u06dd-\u06de\u06e9\u06fd-\u06fe\u0700-\u070f\u07f6-\u07f9\u07fe-\u07ff\u0830-\u083e\u085e\u0888\u0890-' ||
    '\u0891\u08e2\u0964-\u0965\u0970\u09f2-\u09f3\u09fa-\u09fb\u09fd\u0a76\u0af0-\u0af1\u0b70\u0bf3-\u0bfa' ||
    '\u0c77\u0c7f\u0c84\u0d4f\u0d79\u0df4\u0e3f\u0e4f\u0e5a-\u0e5b\u0f01-\u0f17\u0f1a-\u0f1f\u0f34\u0f36' ||
    '\u0f38\u0f3a-\u0f3d\u0f85\u0fbe-\u0fc5\u0fc7-\u0fda\u104a-\u104f\u109e-\u109f\u10fb\u1360-\u1368\u1390-' ||
    '\u1399\u1400\u166d-\u166e\u1680\u169b-\u169c\u16eb-\u16ed\u1735-\u1736\u17d4-\u17d6\u17d8-\u17db\u1800-' ||
    '\u180a\u180e\u1940-\u1945\u19de-\u19ff\u1a1e-\u1a1f\u1aa0-\u1aa6\u1aa8-\u1aad\u1b4e-\u1b4f\u1b5a-\u1b6a' ||
    '\u1b74-\u1b7f\u1bfc-\u1bff\u1c3b-\u1c3f\u1c7e-\u1c7f\u1cc0-\u1cc7\u1cd3\u200b-\u20c1\u2104-\u214d\u214f' ||
    '\u218a-\u244a\u2500-\u2775\u2794-\u2bff\u2ce5-\u2cea\u2cf9-\u2cfc\u2cfe-\u2cff\u2d70\u2e00-\u2e2e\u2e30-' ||
    '\u3004\u3008-\u3020\u3030\u3037\u303d-\u303f\u30a0\u30fb\u3190-\u3191\u31c0-\u31ef\u327f\u4dc0-\u4dff' ||
    '\ua490-\ua4c6\ua4fe-\ua4ff\ua60d-\ua60f\ua673\ua67e\ua6f2-\ua716\ua720-\ua721\ua789-\ua78a\ua828-\ua82b' ||
    '\ua836-\ua839\ua874-\ua877\ua8ce-\ua8cf\ua8f8-\ua8fa\ua8fc\ua92e-\ua92f\ua95f\ua9c1-\ua9cd\ua9de-\ua9df' ||
    '\uaa5c-\uaa5f\uaa77-\uaa79\uaade-\uaadf\uaaf0-\uaaf1\uab5b\uab6a-\uab6b\uabeb\ue000-\uf8ff\ufbb2-\ufdff' ||
    '\ufe45-\ufe46\ufeff-\ufffd\U0001d000-\U0001d15d\U0001f000-\U0001faff\U000e0000-\U000e0fff]+';
  -- Accents of Latin, Greek and Cyrillic, points of Hebrew, vowel signs of Arabic and its tatweel, the soft hyphen, joiners
  -- and variation selectors.
  dropped CONSTANT TEXT := '[\u00ad\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640' ||
    '\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u200c\u200d' ||
    '\u2060\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]+';
  t TEXT;
BEGIN
  IF octet_length(x) = length(x) THEN
    RETURN trim(regexp_replace(lower(x COLLATE "C"), '[^a-z0-9]+', ' ', 'g'));
  END IF;
  t := regexp_replace(lower(normalize(x, NFKD) COLLATE "und-x-icu"), dropped, '', 'g');
  t := translate(replace(replace(replace(t, 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'), 'øłđħŧıþðς', 'oldhtitdσ');
  RETURN trim(regexp_replace(normalize(t, NFC), separators, ' ', 'g'));
END $$;

-- The words of a text, separated by spaces, in order. A run of a script without spaces (Thai, Lao, Burmese, Khmer,
-- Chinese, Japanese, Korean) is given as all its pairs of neighbours and its last character. Words are cut at 200 characters:
-- longer ones do not fit in an index.
CREATE FUNCTION search_words(x TEXT) RETURNS TEXT LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  unspaced CONSTANT TEXT := '\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff';
  t TEXT := search_fold(x);
BEGIN
  IF octet_length(t) > length(t) AND t ~ ('[' || unspaced || ']') THEN
    -- The text, then the same without the first character of each run: their pairs are all pairs.
    t := t || ' ' || regexp_replace(t, '(^|[^' || unspaced || '])[' || unspaced || ']', '\1 ', 'g');
    t := regexp_replace(t, '[' || unspaced || ']{1,2}', ' \& ', 'g');
    t := trim(regexp_replace(t, ' +', ' ', 'g'));
  END IF;
  IF length(t) > 200 THEN
    t := regexp_replace(t, '([^ ]{200})[^ ]+', '\1', 'g');
  END IF;
  RETURN t;
END $$;

-- What a product is found by. Lexemes begin with a label of their field, not a weight, which an index does not hold: a name,
-- b category and SKU, c description, = the whole SKU, ~ the whole name, of which both are cut at 200 characters.
CREATE FUNCTION search_lexemes(name TEXT, category TEXT, sku TEXT, description TEXT) RETURNS TSVECTOR
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  n TEXT := nullif(search_words(name), '');
  c TEXT := nullif(search_words(category), '');
  s TEXT := nullif(search_words(sku), '');
  d TEXT := nullif(search_words(description), '');
BEGIN
  RETURN concat_ws(' ', 'a' || replace(n, ' ', ' a'), 'b' || replace(c, ' ', ' b'), 'b' || replace(s, ' ', ' b'),
                   'c' || replace(d, ' ', ' c'), '~' || left(replace(n, ' ', '_'), 200),
                   '=' || left(replace(s, ' ', '_'), 200))::tsvector;
END $$;

-- Categories that differ only in case or Unicode form are one.
CREATE FUNCTION category_key(category TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
  $$ SELECT lower(normalize(category, NFKC) COLLATE "und-x-icu") COLLATE "C" $$;

CREATE TABLE categories (
  id       SERIAL PRIMARY KEY,
  key      TEXT COLLATE "C" NOT NULL UNIQUE,
  -- As it was first written.
  name     TEXT COLLATE "C" NOT NULL UNIQUE,
  -- The only seller who uses it; NULL when there are several.
  owner_id INTEGER
);

-- The spelling of a category, registered if it is new.
CREATE FUNCTION register_category(p_category TEXT, p_owner_id INTEGER) RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE
  found_row categories;
BEGIN
  SELECT * INTO found_row FROM categories WHERE key = category_key(p_category);
  IF NOT FOUND THEN
    INSERT INTO categories (key, name, owner_id) VALUES (category_key(p_category), normalize(p_category), p_owner_id)
        ON CONFLICT DO NOTHING;
    SELECT * INTO found_row FROM categories WHERE key = category_key(p_category);
  END IF;
  IF found_row.owner_id <> p_owner_id THEN
    UPDATE categories SET owner_id = NULL WHERE id = found_row.id AND owner_id IS NOT NULL;
  END IF;
  RETURN found_row.name;
END $$;

-- The same for reading: a category that nobody has written stays as it is.
CREATE FUNCTION category_of(p_category TEXT) RETURNS TEXT LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT coalesce((SELECT name FROM categories WHERE key = category_key(p_category)), p_category) $$;

ALTER TABLE products ADD COLUMN lexemes TSVECTOR;

CREATE FUNCTION prepare_product() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  NEW.name := normalize(NEW.name);
  NEW.description := normalize(NEW.description);
  NEW.category := register_category(NEW.category, NEW.owner_id);
  NEW.lexemes := search_lexemes(NEW.name, NEW.category, NEW.sku, NEW.description);
  RETURN NEW;
END $$;

-- The words of names, categories and SKUs, for those that are mistyped; ones with digits are never corrected. Each with all
-- forms that it has without one of its letters: two words with a form in common are one letter or a swap apart. Nothing is
-- unique here, so that nobody waits for another one's new words: some may be there twice. A word stays when its last
-- product goes.
CREATE TABLE known_words (
  word  TEXT COLLATE "C" NOT NULL,
  forms TEXT[] COLLATE "C" NOT NULL
);
CREATE INDEX known_words_word ON known_words (word);
CREATE INDEX known_words_forms ON known_words USING gin (forms) WITH (fastupdate = off);
CREATE INDEX known_words_similar ON known_words USING gin (word gin_trgm_ops) WITH (fastupdate = off);

CREATE FUNCTION word_forms(word TEXT) RETURNS TEXT[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT array_agg(DISTINCT left(word, n - 1) || substr(word, n + 1)) || word FROM generate_series(1, length(word)) AS n
$$;

-- Known words at most two letters off; a swap counts as one. Two letters are many for words of less than five.
CREATE FUNCTION similar_words(p_word TEXT) RETURNS TABLE (word TEXT, distance INTEGER) LANGUAGE sql STABLE STRICT
SET pg_trgm.similarity_threshold = 0.15 AS $$
  SELECT DISTINCT k.word, CASE WHEN k.forms && word_forms(p_word) THEN 1 ELSE 2 END
    FROM known_words AS k
   WHERE (k.forms && word_forms(p_word) OR (k.word % p_word AND length(p_word) >= 5))
     AND levenshtein_less_equal(k.word, p_word, 2) <= 2
$$;

CREATE FUNCTION words_to_know(lexemes TSVECTOR) RETURNS SETOF TEXT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT substr(lexeme, 2) FROM unnest(tsvector_to_array(lexemes)) AS lexeme WHERE lexeme ~ '^[ab][^\d]{3,40}$'
$$;

-- Rows of a category whose sum is zero. Rows that somebody else is changing stay for the next time.
CREATE FUNCTION drop_empty_category(p_category TEXT) RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT sum(products) FROM category_counts WHERE category = p_category) <> 0 THEN
    RETURN;
  END IF;
  WITH held AS MATERIALIZED (
    SELECT slot, products FROM category_counts WHERE category = p_category FOR UPDATE SKIP LOCKED
  )
  DELETE FROM category_counts
   WHERE category = p_category AND slot IN (SELECT slot FROM held) AND (SELECT sum(products) FROM held) = 0;
END $$;

CREATE OR REPLACE FUNCTION note_new_products() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO category_counts AS c (category, slot, products)
  SELECT category, own_slot(), count(*) FROM added WHERE deleted_at IS NULL GROUP BY category ORDER BY category
      ON CONFLICT (category, slot) DO UPDATE SET products = c.products + excluded.products;
  INSERT INTO known_words
  SELECT word, word_forms(word) FROM (SELECT DISTINCT words_to_know(lexemes) AS word FROM added) AS w
   WHERE NOT EXISTS (SELECT FROM known_words AS k WHERE k.word = w.word);
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION note_changed_product() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO category_counts AS c (category, slot, products)
  SELECT category, own_slot(), sum(change)
    FROM (VALUES (OLD.category, OLD.deleted_at, -1), (NEW.category, NEW.deleted_at, 1)) AS v (category, deleted_at, change)
   WHERE deleted_at IS NULL GROUP BY category HAVING sum(change) <> 0 ORDER BY category
      ON CONFLICT (category, slot) DO UPDATE SET products = c.products + excluded.products;
  IF OLD.deleted_at IS NULL AND (NEW.deleted_at IS NOT NULL OR OLD.category <> NEW.category) THEN
    PERFORM drop_empty_category(OLD.category);
  END IF;
  INSERT INTO known_words
  SELECT word, word_forms(word) FROM (SELECT DISTINCT words_to_know(NEW.lexemes) AS word) AS w
   WHERE NOT EXISTS (SELECT FROM known_words AS k WHERE k.word = w.word);
  RETURN NULL;
END $$;

CREATE TRIGGER prepare_new_product BEFORE INSERT ON products FOR EACH ROW EXECUTE FUNCTION prepare_product();
CREATE TRIGGER prepare_changed_product BEFORE UPDATE OF name, category, sku, description, lexemes ON products
  FOR EACH ROW WHEN ((OLD.name, OLD.category, OLD.sku, OLD.description, OLD.lexemes)
                     IS DISTINCT FROM (NEW.name, NEW.category, NEW.sku, NEW.description, NEW.lexemes))
  EXECUTE FUNCTION prepare_product();
CREATE OR REPLACE TRIGGER note_changed_product AFTER UPDATE OF name, category, sku, deleted_at, lexemes ON products
  FOR EACH ROW WHEN ((OLD.category, OLD.deleted_at, OLD.lexemes) IS DISTINCT FROM (NEW.category, NEW.deleted_at, NEW.lexemes))
  EXECUTE FUNCTION note_changed_product();

-- migrate: alone
CREATE INDEX CONCURRENTLY IF NOT EXISTS products_without_lexemes ON products (id) WHERE lexemes IS NULL AND deleted_at IS NULL;

-- migrate: batches
-- The trigger computes them; in the order of ids, as reservations lock products.
UPDATE products SET lexemes = ''
 WHERE id IN (SELECT id FROM products WHERE lexemes IS NULL AND deleted_at IS NULL ORDER BY id LIMIT 500 FOR NO KEY UPDATE);

-- migrate: transaction
DROP INDEX products_without_lexemes;
SELECT drop_empty_category(category) FROM (SELECT category FROM category_counts GROUP BY category HAVING sum(products) = 0) AS c;

-- migrate: alone
-- Without a list of pending entries, which every search would have to read.
CREATE INDEX CONCURRENTLY IF NOT EXISTS products_search ON products USING gin (lexemes) WITH (fastupdate = off) WHERE deleted_at IS NULL;
-- migrate: alone
CREATE INDEX CONCURRENTLY IF NOT EXISTS products_listed_by_name ON products (name COLLATE "und-x-icu", id) WHERE deleted_at IS NULL;
-- migrate: transaction
ANALYZE products;
