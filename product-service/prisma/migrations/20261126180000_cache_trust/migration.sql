-- Whether what Redis keeps of this service may be believed (docs/caching.md). One row.
CREATE TABLE cache_trust (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  epoch uuid NOT NULL DEFAULT gen_random_uuid(),
  distrusted_until timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO cache_trust DEFAULT VALUES;
