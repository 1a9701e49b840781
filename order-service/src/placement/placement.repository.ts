import type { Query } from '@shop/service-kit/postgres/query';
import type { ReservedLine } from '../clients/product.client.ts';
import { Prisma } from '../generated/prisma/client.ts';
import type { OrderRequest } from '../orders/order.schemas.ts';

/** An order that is being placed. */
export interface Intent {
  id: number;
  reservationId: string;
  createdAt: Date;
}

export interface StoredAnswer {
  status: number;
  body: string;
}

/** Names a client's key; null for a request without one. */
export interface KeyName {
  userId: number;
  key: string | null;
}

interface NewIntent extends KeyName {
  request: OrderRequest;
  requestHash: string;
  reservationId: string;
  currency: string;
}

/** What is known of a key that was claimed before. */
export interface ClaimedKey {
  requestHash: string;
  answer: StoredAnswer | null;
  /** Seconds until somebody else may carry the order on; 0 when it may be carried on now. */
  leaseSeconds: number;
}

interface PlacementOptions {
  query: Query;
  /** Seconds until the reconciler may reject what is still being placed. */
  deadline: number;
  /** Seconds that one request may work on a keyed order before a retry carries it on. */
  lease: number;
}

/** Keys are scoped to a user and this route. */
const ROUTE = 'POST /api/orders';

/** The statements of order-placement.md, each all or nothing in one round trip. */
export function createPlacementRepository({ query, deadline, lease }: PlacementOptions) {
  const orderValues = ({ userId, request, reservationId, currency }: NewIntent) => Prisma.sql`
    ${userId}::int, 'PLACING', ${reservationId}::uuid, now() + make_interval(secs => ${deadline}::int), ${currency},
    ${request.shipping_address === undefined ? null : JSON.stringify(request.shipping_address)}::jsonb,
    ${request.note ?? null}::text`;

  return {
    /** Step 1. @returns null when the key was claimed before */
    async insertIntent(intent: NewIntent): Promise<Intent | null> {
      const { userId, key, requestHash } = intent;
      const columns = Prisma.sql`user_id, placement, reservation_id, deadline, currency, shipping_address, note`;
      const rows =
        key === null
          ? await query<Intent[]>`
              INSERT INTO orders (${columns}) VALUES (${orderValues(intent)})
              RETURNING id, reservation_id AS "reservationId", created_at AS "createdAt"`
          : await query<Intent[]>`
              WITH claimed AS (
                INSERT INTO idempotency_keys (user_id, route, key, request_hash, order_id, lease_until)
                VALUES (${userId}::int, ${ROUTE}, ${key}, ${requestHash},
                        nextval('orders_id_seq'), now() + make_interval(secs => ${lease}::int))
                ON CONFLICT DO NOTHING RETURNING order_id
              )
              INSERT INTO orders (id, ${columns}) SELECT order_id, ${orderValues(intent)} FROM claimed
              RETURNING id, reservation_id AS "reservationId", created_at AS "createdAt"`;
      return rows[0] ?? null;
    },

    async findKey({ userId, key }: KeyName): Promise<ClaimedKey | null> {
      const rows = await query<
        { requestHash: string; status: number | null; body: string | null; leaseSeconds: number }[]
      >`SELECT request_hash AS "requestHash", answer_status AS status, answer_body AS body,
               greatest(0, ceil(extract(epoch FROM lease_until - now())))::int AS "leaseSeconds"
          FROM idempotency_keys WHERE user_id = ${userId}::int AND route = ${ROUTE} AND key = ${key}`;
      const row = rows[0];
      if (row === undefined) return null;
      const { requestHash, leaseSeconds, status, body } = row;
      return {
        requestHash,
        leaseSeconds,
        answer: status === null || body === null ? null : { status, body },
      };
    },

    /**
     * Carries on the order of a key whose lease is over: the same order while it is undecided, a new one when it was
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

    /** Step 3: decides for the order, with its lines, counters, history, stored answer and the confirm job. */
    async place(
      intent: Intent,
      by: KeyName,
      lines: ReservedLine[],
      total: number,
      answer: StoredAnswer,
    ): Promise<boolean> {
      const rows = await query<{ placed: number }[]>`
        WITH placed AS (
          UPDATE orders SET placement = 'PLACED', status = 'pending', total_minor = ${total}::bigint
           WHERE id = ${intent.id}::int AND placement = 'PLACING'
          RETURNING id, user_id, reservation_id
        ), lines AS (
          INSERT INTO order_lines (order_id, product_id, name, price_minor, quantity, seller_id)
          SELECT placed.id, line.product_id, line.name, line.price_minor, line.quantity, line.owner_id
            FROM placed, jsonb_to_recordset(${JSON.stringify(lines)}::jsonb)
              AS line (product_id int, name text, price_minor bigint, quantity int, owner_id int)
        ), history AS (
          INSERT INTO order_status_changes (order_id, from_status, to_status, actor)
          SELECT id, NULL, 'pending', 'user:' || user_id FROM placed
        ), counted AS (
          INSERT INTO order_stats AS stats (user_id, pending, spent_minor)
          SELECT user_id, 1, ${total}::bigint FROM placed
          ON CONFLICT (user_id) DO UPDATE
            SET pending = stats.pending + 1, spent_minor = stats.spent_minor + excluded.spent_minor
        ), answered AS (
          UPDATE idempotency_keys SET answer_status = ${answer.status}::int, answer_body = ${answer.body}
            FROM placed
           WHERE idempotency_keys.user_id = ${by.userId}::int AND route = ${ROUTE} AND key = ${by.key}::text
             AND order_id = placed.id
        ), job AS MATERIALIZED (
          SELECT jobs.add('confirm_reservation', json_build_object('reservation_id', reservation_id)) FROM placed
        )
        SELECT count(*)::int AS placed FROM job`;
      return rows[0]?.placed === 1;
    },

    /** Decides against the order for a reason of business, which a key replays. `release` when stock is held for it. */
    async reject(intent: Intent, by: KeyName, answer: StoredAnswer, release: boolean): Promise<boolean> {
      const rows = await query<{ rejected: number }[]>`
        WITH rejected AS (
          UPDATE orders SET placement = 'REJECTED', updated_at = now()
           WHERE id = ${intent.id}::int AND placement = 'PLACING' RETURNING id, reservation_id
        ), answered AS (
          UPDATE idempotency_keys SET answer_status = ${answer.status}::int, answer_body = ${answer.body}
            FROM rejected
           WHERE user_id = ${by.userId}::int AND route = ${ROUTE} AND key = ${by.key}::text AND order_id = rejected.id
        ), job AS MATERIALIZED (
          SELECT jobs.add('release_reservation', json_build_object('reservation_id', reservation_id))
            FROM rejected WHERE ${release}
        )
        SELECT (SELECT count(*) FROM rejected)::int AS rejected, (SELECT count(*) FROM job)::int AS jobs`;
      return rows[0]?.rejected === 1;
    },

    /**
     * Gives up on an order whose outcome is not known, and frees its key for a fresh try.
     * @returns what is decided now: PLACED when placing it had succeeded after all
     */
    async abandon(intent: Intent, by: KeyName): Promise<'PLACED' | 'REJECTED'> {
      await query`
        WITH rejected AS (
          UPDATE orders SET placement = 'REJECTED', updated_at = now()
           WHERE id = ${intent.id}::int AND placement = 'PLACING' RETURNING id, reservation_id
        ), freed AS (
          DELETE FROM idempotency_keys USING rejected
           WHERE user_id = ${by.userId}::int AND route = ${ROUTE} AND key = ${by.key}::text AND order_id = rejected.id
        ), job AS MATERIALIZED (
          SELECT jobs.add('release_reservation', json_build_object('reservation_id', reservation_id)) FROM rejected
        )
        SELECT count(*)::int FROM job`;
      const orders = await query<
        { placement: string }[]
      >`SELECT placement FROM orders WHERE id = ${intent.id}::int`;
      return orders[0]?.placement === 'PLACED' ? 'PLACED' : 'REJECTED';
    },
  };
}

export type PlacementRepository = ReturnType<typeof createPlacementRepository>;
