import type { Query } from '@shop/service-kit/postgres/query';

/**
 * A closed reservation refuses a reserve that arrives late: seconds later through a slow network, or hours later from a
 * process that was paused. After days no such request can arrive any more.
 */
const CLOSED_DAYS = 7;

export function createCleanupRepository(query: Query) {
  return {
    /** Reservations that hold nothing: refused, released, or released before they were made. Index: reservations_closed */
    async removeClosedReservations(limit: number): Promise<number> {
      const rows = await query`
        DELETE FROM reservations WHERE id IN (
          SELECT id FROM reservations
           WHERE status = 'RELEASED' AND updated_at < now() - make_interval(days => ${CLOSED_DAYS}::int)
           ORDER BY updated_at LIMIT ${limit}::int FOR UPDATE SKIP LOCKED) RETURNING 1`;
      return rows.length;
    },

    /**
     * Checks the next known words and deletes those that no product contains. If a product gets such a word at the same time,
     * it is still found, but mistyped forms of the word are not corrected until another product contains it.
     * Indexes: known_words_word, products_search.
     * @returns the last word that was looked at; null after the last of all
     */
    async removeUnusedWords(after: string, limit: number): Promise<string | null> {
      const rows = await query<[{ last: string | null }]>`
        WITH seen AS MATERIALIZED (
          SELECT ctid AS place, word FROM known_words WHERE word > ${after} ORDER BY word LIMIT ${limit}::int
        ), removed AS (
          DELETE FROM known_words k USING seen
           WHERE k.ctid = seen.place AND k.word = seen.word AND NOT EXISTS (
             SELECT FROM products p
              WHERE p.deleted_at IS NULL AND p.lexemes @@ format('%L | %L', 'a' || seen.word, 'b' || seen.word)::tsquery)
        )
        SELECT max(word) AS last FROM seen`;
      return rows[0].last;
    },

    /**
     * Checks the next categories, in the order of their keys, and deletes those without products: the next product in one of
     * them decides on its spelling again. Index: categories_key_key.
     * @returns the last key that was looked at; null after the last of all
     */
    async removeUnusedCategories(after: string, limit: number): Promise<string | null> {
      const rows = await query<[{ last: string | null }]>`
        SELECT remove_unused_categories(${after}, ${limit}::int) AS last`;
      return rows[0].last;
    },

    /**
     * Removes the counters of categories without products. A category's count is the sum of its slots. Slots that another
     * transaction is changing are left alone, and changes since the check are kept in the slot that is written.
     */
    async removeEmptyCategories(limit: number): Promise<number> {
      const rows = await query<[{ count: number }]>`
        WITH empty AS (
          SELECT category FROM category_counts GROUP BY category HAVING sum(products) = 0 LIMIT ${limit}::int
        ), locked AS (
          SELECT category, slot FROM category_counts JOIN empty USING (category)
             FOR UPDATE OF category_counts SKIP LOCKED
        ), removed AS (
          DELETE FROM category_counts c USING locked
           WHERE c.category = locked.category AND c.slot = locked.slot RETURNING c.category, c.products
        ), kept AS (
          INSERT INTO category_counts AS c (category, slot, products)
          SELECT category, -1, sum(products) FROM removed GROUP BY category HAVING sum(products) <> 0
              ON CONFLICT (category, slot) DO UPDATE SET products = c.products + excluded.products
        )
        SELECT count(DISTINCT category)::int AS count FROM removed`;
      return rows[0].count;
    },
  };
}
