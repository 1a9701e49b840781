-- What only the release before 20261126140000_search_by_words read.
-- migrate: contracts 20261126140000_search_by_words
-- migrate: compatible with 20261126140000_search_by_words
-- migrate: alone
DROP INDEX CONCURRENTLY IF EXISTS products_found;
-- migrate: alone
DROP INDEX CONCURRENTLY IF EXISTS products_listed_name;
-- migrate: transaction
ALTER TABLE products DROP COLUMN search;
DROP FUNCTION corrected_query, search_query, search_query_in, search_distance, search_terms, words_of;
DROP TABLE product_words;
