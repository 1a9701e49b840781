import type { Query } from '@shop/service-kit/postgres/query';

/** A word that at least this many products have is not corrected. */
const ENOUGH = 5;
/** How many of the newest products are scanned first; a frequent word is found there without its index. */
const NEWEST = 500;
const MAX_CORRECTIONS = 3;

interface CorrectedRow {
  word: string;
  corrections: string[];
}

/**
 * The nearest known words, one or two letters off, of each word that fewer than five products have. Some product has each of
 * them. Materialized parts are planned for all their rows: with a LIMIT, Postgres would read the table instead of an index.
 * Indexes: products_search, known_words_forms, known_words_similar.
 * @param query plans each statement for its values
 */
export async function findCorrections(query: Query, words: string[]): Promise<Map<string, string[]>> {
  if (words.length === 0) return new Map();
  const rows = await query<CorrectedRow[]>`
    WITH typed AS MATERIALIZED (
      SELECT word, ('''a' || word || ''':* | ''b' || word || ''':* | ''c' || word || ''':*')::tsquery AS found_by
        FROM unnest(${words}::text[]) AS word
    ), newest AS MATERIALIZED (
      SELECT lexemes FROM products WHERE deleted_at IS NULL ORDER BY id DESC LIMIT ${NEWEST}::int
    ), rare AS MATERIALIZED (
      SELECT word FROM typed
       WHERE CASE WHEN (
         SELECT count(*) FROM (SELECT FROM newest WHERE ts_match_vq(lexemes, found_by) LIMIT ${ENOUGH}::int) AS n
       ) < ${ENOUGH}::int THEN (
         SELECT count(*) FROM (
           WITH found AS MATERIALIZED (
             SELECT FROM products p WHERE p.deleted_at IS NULL AND p.lexemes @@ found_by
           ) SELECT FROM found LIMIT ${ENOUGH}::int
         ) AS f
       ) < ${ENOUGH}::int ELSE FALSE END
    ), near AS (
      SELECT rare.word, known.word AS correction, known.distance, similarity(known.word, rare.word) AS similarity
        FROM rare, similar_words(rare.word) AS known
       WHERE NOT starts_with(known.word, rare.word)
         AND EXISTS (
           WITH found AS MATERIALIZED (
             SELECT FROM products p
              WHERE p.deleted_at IS NULL AND p.lexemes @@ ('''a' || known.word || ''' | ''b' || known.word || '''')::tsquery
           ) SELECT FROM found
         )
    ), nearest AS (
      SELECT *, rank() OVER (PARTITION BY word ORDER BY distance) AS place,
             row_number() OVER (PARTITION BY word ORDER BY distance, similarity DESC, correction) AS number
        FROM near
    )
    SELECT word, array_agg(correction ORDER BY number) AS corrections
      FROM nearest WHERE place = 1 AND number <= ${MAX_CORRECTIONS}::int GROUP BY word`;
  return new Map(rows.map(({ word, corrections }) => [word, corrections]));
}
