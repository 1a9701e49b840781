import type { ReservedLine } from '../clients/product.response.schemas.ts';
import type { OrderRequest } from '../orders/order.schemas.ts';

/** An order that is being placed. */
export interface Intent {
  id: number;
  reservationId: string;
  createdAt: Date;
}

export interface StoredResponse {
  status: number;
  body: string;
  /** For the `Location` of a 201. */
  orderId: number;
}

/** A client's idempotency key with its scope; `key` is null for a request without one. */
export interface KeyName {
  userId: number;
  key: string | null;
}

export interface NewIntent extends KeyName {
  request: OrderRequest;
  requestHash: string;
  reservationId: string;
  currency: string;
}

/** A key that was claimed before. */
export interface ClaimedKey {
  requestHash: string;
  response: StoredResponse | null;
  /** Seconds until another request may continue the order; 0 if it may now. */
  leaseSeconds: number;
}

/** Names the request, and its place in a trace, in the payload of the jobs that it causes. */
interface OfRequest {
  requestId?: string;
  traceparent?: string | undefined;
}

/** An order to be placed: step 3. */
export interface NewOrder extends OfRequest {
  intent: Intent;
  by: KeyName;
  lines: ReservedLine[];
  /** In minor units. */
  total: number;
  response: StoredResponse;
}

/** An order to be rejected for a business reason, instead of step 3. */
export interface Rejection extends OfRequest {
  intent: Intent;
  by: KeyName;
  response: StoredResponse;
  /** Whether stock is reserved for it. */
  release: boolean;
}

/** An order whose outcome is unknown, to be abandoned unless it was placed after all. */
export interface Abandonment extends OfRequest {
  intent: Intent;
  by: KeyName;
}

/** What every decision about an order names. */
export const decisionOf = (intent: Intent, by: KeyName & OfRequest & { requestId: string }) => ({
  intent,
  by,
  orderId: intent.id,
  reservationId: intent.reservationId,
  requestId: by.requestId,
  traceparent: by.traceparent,
});

/** An intent as a parameter of the statement. */
export const toWanted = (
  { userId, key, requestHash, reservationId, currency, request }: NewIntent,
  n: number,
) => ({
  n,
  user_id: userId,
  key,
  request_hash: requestHash,
  reservation_id: reservationId,
  currency,
  shipping_address: request.shipping_address,
  note: request.note,
});

/** An order to be placed, as a parameter of the statement. A body is stored only with a key. */
export const toPlaced = ({
  intent,
  by: { key },
  lines,
  total,
  response: { status, body },
  requestId,
  traceparent,
}: NewOrder) => ({
  id: intent.id,
  request_id: requestId,
  traceparent,
  total,
  lines,
  ...(key === null ? {} : { key, status, body }),
});

/** An order to be rejected, as a parameter of the statement. */
export const toRejected = ({
  intent,
  by: { key },
  response: { status, body },
  release,
  requestId,
  traceparent,
}: Rejection) => ({
  id: intent.id,
  request_id: requestId,
  traceparent,
  release,
  ...(key === null ? {} : { key, status, body }),
});

/** An order to be abandoned, as a parameter of the statement. */
export const toAbandoned = ({ intent, by: { key }, requestId, traceparent }: Abandonment) => ({
  id: intent.id,
  request_id: requestId,
  traceparent,
  key,
});
