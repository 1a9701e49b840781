import { Client } from 'pg';

const ADJECTIVES =
  'compact silent folding heavy light modern classic smart tiny large portable robust elegant durable bright dark soft hard quick gentle rustic vintage premium basic sturdy slim wide round square flat';
const MATERIALS =
  'steel oak beech copper glass cotton wool linen leather plastic bamboo ceramic silk cork brass bronze paper rubber stone marble pine walnut ash felt iron zinc nylon denim clay wax';
const THINGS =
  'kettle lamp chair table speaker headphones keyboard mouse monitor tent bag bottle jacket stove pack poles blocks chess kite puzzle radio earbuds turntable microphone soundbar stand laptop dock drive webcam tablet board pan grinder press scale bowl blanket clock pot towel mat frame book atlas novel guide torch knife fork';
/** Syllables and endings of brands and categories; the first ones are the most frequent. */
const SYLLABLES = 'ka lo mi ra te so vi nu pe da zo fi gu ha jo wy be cu ni xa';
const ENDINGS = 'lor min tek son vex num per dal zon fix gus har jon wyn bel cur nix xan mar tol';

/** A word that depends on the product's number only; with a skew above 1 the first words are more frequent. */
const HELPERS = `
  CREATE FUNCTION pg_temp.share(n INT, salt INT) RETURNS FLOAT8 IMMUTABLE LANGUAGE sql AS
    $$ SELECT (hashint4extended(n, salt) & 1048575)::float8 / 1048576 $$;
  CREATE FUNCTION pg_temp.pick(words TEXT, n INT, salt INT, skew FLOAT8) RETURNS TEXT IMMUTABLE LANGUAGE sql AS
    $$ SELECT w[1 + floor(cardinality(w) * power(pg_temp.share(n, salt), skew))::int] FROM string_to_array(words, ' ') AS w $$`;

const FILL = `
  INSERT INTO products (name, description, price_minor, stock, category, sku, owner_id, created_at)
  SELECT initcap(brand) || CASE WHEN pg_temp.share(n, 1) < 0.5 THEN ' Pro ' ELSE ' ' END || pg_temp.pick($2, n, 2, 1) || ' '
           || pg_temp.pick($3, n, 3, 1) || ' ' || thing || ' ' || n % 9973,
         'A ' || pg_temp.pick($2, n, 4, 1) || ' ' || thing || ' for home and garden, '
           || CASE WHEN pg_temp.share(n, 5) < 0.5 THEN 'wireless' ELSE 'wired' END || ', model x' || lpad(to_hex(n), 6, '0'),
         99 + floor(pg_temp.share(n, 6) * 500000)::int,
         CASE WHEN pg_temp.share(n, 7) < 0.1 THEN 0 ELSE 1 + floor(pg_temp.share(n, 8) * 500)::int END,
         department, 'SKU-' || n, 1 + floor(pg_temp.share(n, 10) * 500)::int,
         TIMESTAMPTZ '2026-01-01' + n * INTERVAL '1 second'
    FROM generate_series(1, $1::int) AS n,
         LATERAL (SELECT pg_temp.pick($4, n, 11, 1) AS thing,
                         initcap(pg_temp.pick($6, n, 15, 2) || pg_temp.pick($5, n, 16, 2)) AS department,
                         pg_temp.pick($5, n, 12, 2) || pg_temp.pick($6, n, 13, 2) || pg_temp.pick($5, n, 14, 2) AS brand) AS words`;

/**
 * Products with names and descriptions of about ten thousand words, and categories and brands of very different size; the
 * same in every run. Half of them contain "Pro", and half "wireless".
 */
export async function fillCatalogue(databaseUrl: string, products: number): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(HELPERS);
    const rebuild = await dropIndexes(client);
    await client.query(FILL, [products, ADJECTIVES, MATERIALS, THINGS, SYLLABLES, ENDINGS]);
    for (const statement of rebuild) await client.query(statement);
    await client.query('VACUUM ANALYZE');
  } finally {
    await client.end();
  }
}

/** Drops the indexes, because creating them afterwards is faster. @returns the statements that recreate them */
async function dropIndexes(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `SELECT indexname AS name, indexdef AS definition FROM pg_indexes
      WHERE tablename = 'products' AND indexname <> 'products_pkey'`,
  );
  for (const { name } of rows) await client.query(`DROP INDEX ${name}`);
  return rows.map(({ definition }) => definition);
}

/** The product at a depth of a list, for the cursor after it. */
export async function productAt(
  databaseUrl: string,
  column: 'id' | 'price_minor',
  depth: number,
): Promise<{ value: number; id: number } | undefined> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ value: string; id: number }>(
      `SELECT ${column} AS value, id FROM products ORDER BY ${column}, id OFFSET $1 LIMIT 1`,
      [depth - 1],
    );
    return rows[0] && { value: Number(rows[0].value), id: rows[0].id };
  } finally {
    await client.end();
  }
}
