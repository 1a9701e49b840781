import type { Query } from '@shop/service-kit/postgres/query';
import { Prisma } from '../generated/prisma/client.ts';
import {
  type Abandonment,
  type ClaimedKey,
  type Intent,
  type KeyName,
  type NewIntent,
  type NewOrder,
  type Rejection,
  toAbandoned,
  toPlaced,
  toRejected,
  toWanted,
} from './placement.records.ts';

interface PlacementOptions {
  query: Query;
  /** Seconds until the reconciler may reject an undecided order. */
  deadline: number;
  /** Seconds that one request may work on a keyed order before a retry may continue it. */
  lease: number;
}

/** Of the job `release_reservation`, from a row of an order. */
const RELEASE_PAYLOAD = Prisma.sql`json_build_object(
            'reservation_id', reservation_id, 'order_id', id, 'request_id', request_id,
            'traceparent', traceparent)`;
/** Keys are scoped to a user and this route. */
const ROUTE = 'POST /api/orders';

/** The statements of docs/order-placement.md, each atomic and in one round trip, except that `abandon` takes two. */
export function createPlacementRepository({ query, deadline, lease }: PlacementOptions) {
  const orderValues = ({ userId, request, reservationId, currency }: NewIntent) => Prisma.sql`
    ${userId}::int, 'PLACING', ${reservationId}::uuid, now() + make_interval(secs => ${deadline}::int), ${currency},
    ${request.shipping_address === undefined ? null : JSON.stringify(request.shipping_address)}::jsonb,
    ${request.note ?? null}::text`;

  return {
    /**
     * Step 1 for many orders. Rows are inserted in the order of their keys, so that two batches cannot deadlock. `named`
     * gives a key to the first of several intents with it.
     * @returns in the same order; null if the key was already claimed
     */
    async insertIntents(intents: NewIntent[]): Promise<(Intent | null)[]> {
      const rows = await query<Intent[]>`
        WITH wanted AS MATERIALIZED (
          SELECT * FROM jsonb_to_recordset(${JSON.stringify(intents.map(toWanted))}::jsonb)
            AS w (n int, user_id int, key text, request_hash text, reservation_id uuid, currency text,
                  shipping_address jsonb, note text)
        ), named AS MATERIALIZED (
          SELECT DISTINCT ON (user_id, key) user_id, key, n, request_hash FROM wanted WHERE key IS NOT NULL
           ORDER BY user_id, key, n
        ), claimed AS (
          INSERT INTO idempotency_keys (user_id, route, key, request_hash, order_id, lease_until)
          SELECT user_id, ${ROUTE}, key, request_hash, nextval('orders_id_seq'), now() + make_interval(secs => ${lease}::int)
            FROM named
          ON CONFLICT DO NOTHING RETURNING user_id, key, order_id
        ), keyed AS (
          SELECT n, order_id FROM named JOIN claimed USING (user_id, key)
        )
        INSERT INTO orders (id, user_id, placement, reservation_id, deadline, currency, shipping_address, note)
        SELECT coalesce(keyed.order_id, nextval('orders_id_seq')), user_id, 'PLACING', reservation_id,
               now() + make_interval(secs => ${deadline}::int), currency, shipping_address, note
          FROM wanted LEFT JOIN keyed USING (n) WHERE key IS NULL OR keyed.n IS NOT NULL ORDER BY n
        RETURNING id, reservation_id AS "reservationId", created_at AS "createdAt"`;
      const made = new Map(rows.map((row) => [row.reservationId, row]));
      return intents.map(({ reservationId }) => made.get(reservationId) ?? null);
    },

    async findKey({ userId, key }: KeyName): Promise<ClaimedKey | null> {
      const rows = await query<
        {
          requestHash: string;
          orderId: number;
          status: number | null;
          body: string | null;
          leaseSeconds: number;
        }[]
      >`SELECT request_hash AS "requestHash", order_id AS "orderId", answer_status AS status, answer_body AS body,
               greatest(0, ceil(extract(epoch FROM lease_until - now())))::int AS "leaseSeconds"
          FROM idempotency_keys WHERE user_id = ${userId}::int AND route = ${ROUTE} AND key = ${key}`;
      const row = rows[0];
      if (row === undefined) return null;
      const { requestHash, orderId, leaseSeconds, status, body } = row;
      return {
        requestHash,
        leaseSeconds,
        response: status === null || body === null ? null : { status, body, orderId },
      };
    },

    /**
     * Continues the order of a key whose lease has ended: the same order while it is undecided, a new one if it was
     * rejected. Exactly one of several callers gets it. @returns null for the others
     */
    async resumeIntent(intent: NewIntent): Promise<Intent | null> {
      const { userId, key } = intent;
      const rows = await query<Intent[]>`
        WITH taken AS (
          UPDATE idempotency_keys k
             SET lease_until = now() + make_interval(secs => ${lease}::int),
                 order_id = CASE o.placement WHEN 'REJECTED' THEN nextval('orders_id_seq') ELSE k.order_id END
            FROM orders o
           WHERE k.user_id = ${userId}::int AND k.route = ${ROUTE} AND k.key = ${key}
             AND k.lease_until <= now() AND k.answer_status IS NULL AND o.id = k.order_id
          RETURNING k.order_id, o.placement
        ), resumed AS (
          UPDATE orders o SET deadline = now() + make_interval(secs => ${deadline}::int)
            FROM taken WHERE o.id = taken.order_id AND o.placement = 'PLACING'
          RETURNING o.id, o.reservation_id, o.created_at
        ), renewed AS (
          INSERT INTO orders (id, user_id, placement, reservation_id, deadline, currency, shipping_address, note)
          SELECT order_id, ${orderValues(intent)} FROM taken WHERE placement = 'REJECTED'
          RETURNING id, reservation_id, created_at
        )
        SELECT id, reservation_id AS "reservationId", created_at AS "createdAt" FROM resumed
         UNION ALL
        SELECT id, reservation_id, created_at FROM renewed`;
      return rows[0] ?? null;
    },

    /**
     * Step 3 for many orders: places each undecided order with its lines, history and stored response, and adds one job
     * that confirms all of them. `= ANY` prevents Postgres from reading all undecided orders.
     * @returns the ids of the orders placed now; the others were decided elsewhere
     */
    async place(orders: NewOrder[]): Promise<Set<number>> {
      const rows = await query<{ id: number }[]>`
        WITH wanted AS MATERIALIZED (
          SELECT * FROM jsonb_to_recordset(${JSON.stringify(orders.map(toPlaced))}::jsonb)
            AS w (id int, request_id text, traceparent text, total bigint, key text, status int, body text, lines jsonb)
        ), placed AS (
          UPDATE orders o SET placement = 'PLACED', status = 'pending', total_minor = w.total
            FROM wanted w
           WHERE o.id = w.id AND o.id = ANY (${orders.map(({ intent }) => intent.id)}::int[]) AND o.placement = 'PLACING'
          RETURNING o.id, o.user_id, o.reservation_id, w.request_id, w.traceparent, w.total, w.key,
                    w.status AS answer_status, w.body, w.lines
        ), lines AS (
          INSERT INTO order_lines (order_id, product_id, name, price_minor, quantity, seller_id)
          SELECT placed.id, line.product_id, line.name, line.price_minor, line.quantity, line.owner_id
            FROM placed, jsonb_to_recordset(placed.lines)
              AS line (product_id int, name text, price_minor bigint, quantity int, owner_id int)
        ), history AS (
          INSERT INTO order_status_changes (order_id, from_status, to_status, actor)
          SELECT id, NULL, 'pending', 'user:' || user_id FROM placed
        ), stored AS (
          UPDATE idempotency_keys k SET answer_status = placed.answer_status, answer_body = placed.body
            FROM placed
           WHERE placed.key IS NOT NULL AND k.user_id = placed.user_id AND k.route = ${ROUTE} AND k.key = placed.key
             AND k.order_id = placed.id
        ), job AS MATERIALIZED (
          SELECT jobs.add('confirm_reservations', json_build_object('reservation_ids', json_agg(reservation_id),
                   'order_ids', json_agg(id), 'request_ids', array_to_json(array_remove(array_agg(request_id), NULL)),
                   'traceparents', array_to_json(array_remove(array_agg(traceparent), NULL))))
            FROM placed HAVING count(*) > 0
        )
        SELECT id FROM placed WHERE (SELECT count(*) FROM job) > 0`;
      return new Set(rows.map(({ id }) => id));
    },

    /**
     * Rejects each undecided order for a business reason; its key replays the response.
     * @returns the ids of the orders rejected now; the others were decided elsewhere
     */
    async reject(orders: Rejection[]): Promise<Set<number>> {
      const rows = await query<{ id: number }[]>`
        WITH wanted AS MATERIALIZED (
          SELECT * FROM jsonb_to_recordset(${JSON.stringify(orders.map(toRejected))}::jsonb)
            AS w (id int, request_id text, traceparent text, key text, status int, body text, release boolean)
        ), rejected AS (
          UPDATE orders o SET placement = 'REJECTED', updated_at = now()
            FROM wanted w
           WHERE o.id = w.id AND o.id = ANY (${orders.map(({ intent }) => intent.id)}::int[]) AND o.placement = 'PLACING'
          RETURNING o.id, o.user_id, o.reservation_id, w.request_id, w.traceparent, w.key, w.status AS answer_status,
                    w.body, w.release
        ), stored AS (
          UPDATE idempotency_keys k SET answer_status = rejected.answer_status, answer_body = rejected.body
            FROM rejected
           WHERE rejected.key IS NOT NULL AND k.user_id = rejected.user_id AND k.route = ${ROUTE} AND k.key = rejected.key
             AND k.order_id = rejected.id
        ), job AS MATERIALIZED (
          SELECT jobs.add('release_reservation', ${RELEASE_PAYLOAD}) FROM rejected WHERE release
        )
        SELECT id FROM rejected WHERE (SELECT count(*) FROM job) >= 0`;
      return new Set(rows.map(({ id }) => id));
    },

    /**
     * Abandons orders whose outcome is unknown, and frees their keys for a retry.
     * @returns the ids of those that had been placed after all
     */
    async abandon(orders: Abandonment[]): Promise<Set<number>> {
      const ids = orders.map(({ intent }) => intent.id);
      await query`
        WITH wanted AS MATERIALIZED (
          SELECT * FROM jsonb_to_recordset(${JSON.stringify(orders.map(toAbandoned))}::jsonb)
            AS w (id int, request_id text, traceparent text, key text)
        ), rejected AS (
          UPDATE orders o SET placement = 'REJECTED', updated_at = now()
            FROM wanted w
           WHERE o.id = w.id AND o.id = ANY (${ids}::int[]) AND o.placement = 'PLACING'
          RETURNING o.id, o.user_id, o.reservation_id, w.request_id, w.traceparent, w.key
        ), freed AS (
          DELETE FROM idempotency_keys k USING rejected
           WHERE k.user_id = rejected.user_id AND k.route = ${ROUTE} AND k.key = rejected.key AND k.order_id = rejected.id
        ), job AS MATERIALIZED (
          SELECT jobs.add('release_reservation', ${RELEASE_PAYLOAD}) FROM rejected
        )
        SELECT count(*)::int FROM job`;
      const placed = await query<
        { id: number }[]
      >`SELECT id FROM orders WHERE id = ANY (${ids}::int[]) AND placement = 'PLACED'`;
      return new Set(placed.map(({ id }) => id));
    },
  };
}

export type PlacementRepository = ReturnType<typeof createPlacementRepository>;
