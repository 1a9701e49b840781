import { type Attempt, codeOf, createdIn, type History, isFinal, type Placement } from './client.history.ts';
import type { HeldReservation, PlacedOrder } from './invariant.queries.ts';

/** The transitions of an order (docs/http-api.md), repeated here to check the service against them. */
const MAY_FOLLOW: Record<string, string[]> = {
  pending: ['processing', 'cancelled'],
  processing: ['shipped', 'cancelled'],
  shipped: ['delivered'],
};
const STATUSES = new Set([0, 200, 201, 400, 404, 409, 503]);

const isPlaced = (order: PlacedOrder) => order.placement === 'PLACED';
const linesText = (lines: { product_id: number; quantity: number; price_minor: number }[]) =>
  lines.map((line) => `${line.product_id}×${line.quantity}@${line.price_minor}`).join(' ');

/** I3: the reservations that are not released are exactly those of the valid orders, with equal items. */
export function checkReservations(orders: PlacedOrder[], held: HeldReservation[]): string[] {
  const standing = orders.filter((order) => isPlaced(order) && order.status !== 'cancelled');
  const wanted = new Map(standing.map((order) => [order.reservation_id, linesText(order.lines)]));
  const found = new Map(held.map((reservation) => [reservation.id, linesText(reservation.lines)]));
  const missing = [...wanted]
    .filter(([id]) => !found.has(id))
    .map(([id]) => `I3: order without reservation ${id}`);
  const other = [...found]
    .filter(([id, lines]) => wanted.get(id) !== lines)
    .map(
      ([id, lines]) => `I3: reservation ${id} holds ${lines}, its order has ${wanted.get(id) ?? 'nothing'}`,
    );
  return [...missing, ...other];
}

/** I5 and I6: totals, and histories that follow the table up to the status. */
export function checkOrders(orders: PlacedOrder[]): string[] {
  return orders.filter(isPlaced).flatMap((order) => {
    const total = order.lines.reduce((sum, line) => sum + line.price_minor * line.quantity, 0);
    const broken =
      total === Number(order.total_minor) ? [] : [`I5: order ${order.id} totals ${order.total_minor}`];
    return followsTable(order)
      ? broken
      : [...broken, `I6: order ${order.id}: ${JSON.stringify(order.history)}`];
  });
}

function followsTable({ history, status }: PlacedOrder): boolean {
  const steps = history.every(({ from_status: from, to_status: to }, index) => {
    if (index === 0) return from === null && to === 'pending';
    return from !== null && from === history[index - 1]?.to_status && (MAY_FOLLOW[from] ?? []).includes(to);
  });
  return steps && history.at(-1)?.to_status === status;
}

/** I4, and the rules for the responses themselves. */
export function checkHistory({ placements, changes }: History, orders: PlacedOrder[]): string[] {
  const byId = new Map(orders.map((order) => [order.id, order]));
  const wrongResponses = [...placements, ...changes]
    .flatMap((event) => event.attempts)
    .filter((attempt) => !STATUSES.has(attempt.status))
    .map((attempt) => `response ${attempt.status}: ${attempt.text}`);
  const lost = changes.flatMap(({ orderId, to, attempts }) =>
    attempts.some(({ status }) => status === 200) && !wasEver(byId.get(orderId), to)
      ? [`I4: order ${orderId} was reported as ${to}, but never was`]
      : [],
  );
  return [
    ...wrongResponses,
    ...lost,
    ...placements.flatMap((placement) =>
      checkPlacement(
        placement,
        orders.filter(({ note }) => note === placement.basket.note),
      ),
    ),
  ];
}

const wasEver = (order: PlacedOrder | undefined, status: string) =>
  order?.history.some(({ to_status }) => to_status === status) ?? false;

/** @param orders all orders made for this placement */
function checkPlacement(placement: Placement, orders: PlacedOrder[]): string[] {
  const { key, userId, attempts } = placement;
  const placed = orders.filter(isPlaced);
  const name = `user ${userId}, key ${key}, note ${placement.basket.note}`;
  const final = attempts.filter(isFinal);
  const broken: string[] = [];
  if (placed.length > 1) broken.push(`I4: ${placed.length} orders for ${name}`);
  if (new Set(final.map(({ text }) => text)).size > 1) broken.push(`I4: different responses for ${name}`);
  if (key !== null && final.length === 0) broken.push(`I4: no final response for ${name}`);
  for (const attempt of attempts) {
    if (attempt.status === 201 && !agrees(attempt, placement, placed[0]))
      broken.push(`I4: the order of a 201 differs or is missing: ${name}: ${attempt.text}`);
  }
  if (placed.length > 0 && (final.length > 0 || key === null) && attempts.every(saysNothingOrdered))
    broken.push(`I4: an order despite ${attempts.map(codeOf).join(', ')}: ${name}`);
  return broken;
}

/** Whether the row equals the order that the client requested and received. */
function agrees(attempt: Attempt, { basket }: Placement, order: PlacedOrder | undefined): boolean {
  const received = createdIn(attempt).order;
  const asked = [...basket.products].sort((a, b) => a.product_id - b.product_id);
  return (
    order !== undefined &&
    order.id === received.id &&
    Number(order.total_minor) === Math.round(received.total_amount * 100) &&
    order.lines.length === asked.length &&
    order.lines.every(
      (line, index) =>
        line.product_id === asked[index]?.product_id && line.quantity === asked[index]?.quantity,
    )
  );
}

const REFUSALS = new Set([
  'product_not_found',
  'insufficient_stock',
  'price_changed',
  'product_service_unavailable',
  'product_busy',
]);
const saysNothingOrdered = (attempt: Attempt) =>
  attempt.status !== 0 && attempt.status !== 201 && REFUSALS.has(codeOf(attempt) ?? '');
