import { withConnection } from '../../scripts/lib/postgres/sql.ts';

/**
 * Steps after one of the databases was restored from a backup, in addition to comparing orders with reservations: ids that the
 * others have seen must not be given out a second time, and every session is revoked.
 */
export type Databases = Record<'user-service' | 'product-service' | 'order-service', string>;

export type Advance = { sequence: string; from: number; to: number };

/** A generation that no token from after the backup has: each revocation and each new role raises it by one. */
const GENERATIONS = 1000;
/** Users per statement; each writes a row that other services read. */
const USERS_AT_ONCE = 1000;

/**
 * Moves the sequences of ids beyond all that the databases know, and a gap further: ids that only clients have seen.
 * Repeating it moves nothing.
 * @param gap ids that may have been given out since the backup without a trace in another database
 * @returns those that were moved
 */
export async function advanceSequences(databases: Databases, gap: number): Promise<Advance[]> {
  const seen = await Promise.all([
    read(databases['user-service'], {
      users:
        'SELECT max(id) FROM (SELECT id FROM users UNION ALL SELECT user_id FROM account_changes) AS seen',
      changes: 'SELECT max(number) FROM account_changes',
    }),
    read(databases['product-service'], {
      users:
        'SELECT max(id) FROM (SELECT owner_id AS id FROM products UNION ALL SELECT user_id FROM deleted_users) AS seen',
      products: 'SELECT max(id) FROM products',
      changes: 'SELECT max(cursor::bigint) FROM account_feed',
      reservations: 'SELECT count(*) FROM reservations',
    }),
    read(databases['order-service'], {
      users:
        'SELECT max(id) FROM (SELECT user_id AS id FROM orders UNION ALL SELECT user_id FROM deleted_users) AS seen',
      products: 'SELECT max(product_id) FROM order_lines',
      orders:
        'SELECT max(id) FROM (SELECT id FROM orders UNION ALL SELECT order_id FROM idempotency_keys) AS seen',
      changes: 'SELECT max(cursor::bigint) FROM account_feed',
    }),
  ]);
  const most = (what: string) => Math.max(0, ...seen.map((its) => its[what] ?? 0));
  const moved = await Promise.all([
    advance(databases['user-service'], 'users_id_seq', most('users') + gap),
    advance(databases['user-service'], 'account_change_numbers', most('changes')),
    advance(databases['product-service'], 'products_id_seq', most('products') + gap),
    // Each reservation was made for an order, and keyed orders that are tried again take further ids.
    advance(
      databases['order-service'],
      'orders_id_seq',
      Math.max(most('orders'), most('reservations')) + gap,
    ),
  ]);
  return moved.flat();
}

/** @param queries each of one number */
function read(url: string, queries: Record<string, string>): Promise<Record<string, number>> {
  return withConnection(url, async (client) => {
    const found: Record<string, number> = {};
    for (const [name, sql] of Object.entries(queries)) {
      const { rows } = await client.query({ text: sql, rowMode: 'array' });
      found[name] = Number(rows[0]?.[0] ?? 0);
    }
    return found;
  });
}

/** @param to at least */
function advance(url: string, sequence: string, to: number): Promise<Advance[]> {
  return withConnection(url, async (client) => {
    const { rows } = await client.query(`SELECT last_value AS value FROM ${sequence}`);
    const from = Number(rows[0].value);
    if (from >= to) return [];
    await client.query('SELECT setval($1, $2)', [sequence, to]);
    return [{ sequence, from, to }];
  });
}

/**
 * Ends all sessions and voids all access tokens, also those of sessions that this database does not know any more.
 * @param url of user-service's database
 * @returns users
 */
export function endAllSessions(url: string): Promise<number> {
  return withConnection(url, async (client) => {
    let last = 0;
    for (let users = 0; ; ) {
      const { rows } = await client.query(
        `WITH page AS (SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT $2)
         UPDATE users SET generation = generation + $3, sessions_from = generation + $3
           FROM page WHERE users.id = page.id RETURNING users.id`,
        [last, USERS_AT_ONCE, GENERATIONS],
      );
      if (rows.length === 0) return users;
      users += rows.length;
      last = Math.max(...rows.map((row) => row.id));
    }
  });
}
