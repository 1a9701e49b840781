import type { ProductClient } from '../../src/clients/product.client.ts';
import { ProductServiceUnavailable } from '../../src/clients/product.errors.ts';
import type { WantedReservation } from '../../src/clients/product.requests.ts';
import type {
  Reservation,
  ReservationState,
  ReservedLine,
} from '../../src/clients/product.response.schemas.ts';
import type { Life, Network } from './simulated.network.ts';

interface HeldRow extends Reservation {
  items: string | null;
}

const PRICE = 250;

/** A simulated product-service with the semantics of its functions reserve_stock and release_reservation; each is atomic. */
export function createSimulatedProducts(initialStock: number[]) {
  const stock = new Map(initialStock.map((units, index) => [index + 1, units]));
  const reservations = new Map<string, HeldRow>();
  const ledger: { productId: number; delta: number }[] = [];

  const move = (productId: number, delta: number) => {
    stock.set(productId, (stock.get(productId) ?? 0) + delta);
    ledger.push({ productId, delta });
  };
  const add = (row: HeldRow) => {
    reservations.set(row.id, row);
    return row;
  };

  function reserve({ reservationId: id, items: wanted }: WantedReservation): Reservation {
    const items = JSON.stringify(wanted);
    const known = reservations.get(id);
    if (known !== undefined) {
      if (known.items !== null && known.items !== items)
        return { id, status: 'MISMATCH', lines: null, refusal: null };
      return known;
    }
    const common = { id, items };
    const refusal = wanted.flatMap(({ product_id, quantity }) => {
      const available = stock.get(product_id) ?? null;
      return available !== null && available >= quantity
        ? []
        : [{ product_id, requested: quantity, available }];
    });
    if (refusal.length > 0) return add({ ...common, status: 'RELEASED', lines: null, refusal });
    for (const { product_id, quantity } of wanted) move(product_id, -quantity);
    const lines = wanted.map((item) => ({ ...item, name: 'Thing', price_minor: PRICE, owner_id: 9 }));
    return add({ ...common, status: 'HELD', lines, refusal: null });
  }

  function release(id: string): void {
    const known = reservations.get(id);
    if (known === undefined) {
      add({ id, items: null, status: 'RELEASED', lines: null, refusal: null });
    } else if (known.status !== 'RELEASED') {
      for (const { product_id, quantity } of known.lines ?? []) move(product_id, quantity);
      reservations.set(id, { ...known, status: 'RELEASED' });
    }
  }

  function confirm(ids: string[]): Set<string> {
    for (const id of ids) {
      const known = reservations.get(id);
      if (known?.status === 'HELD') reservations.set(id, { ...known, status: 'CONFIRMED' });
    }
    return new Set(ids.filter((id) => reservations.get(id)?.status === 'CONFIRMED'));
  }

  function statusesOf(ids: string[]): Map<string, ReservationState> {
    const known = ids.flatMap((id) => reservations.get(id) ?? []);
    return new Map(
      known.map(({ id, status, refusal }) => [
        id,
        { id, status: status as ReservationState['status'], refused: refusal !== null },
      ]),
    );
  }

  const held = () => [...reservations.values()].filter(({ status }) => status === 'HELD').map(({ id }) => id);
  const holding = (): Map<string, ReservedLine[]> =>
    new Map(
      [...reservations.values()]
        .filter(({ status }) => status !== 'RELEASED')
        .map(({ id, lines }) => [id, lines ?? []]),
    );

  /** I1 and I2. */
  function violations(): string[] {
    return initialStock.flatMap((initial, index) => {
      const productId = index + 1;
      const now = stock.get(productId) ?? 0;
      const taken = [...holding().values()].flat().filter((line) => line.product_id === productId);
      const units = taken.reduce((sum, { quantity }) => sum + quantity, 0);
      const moved = ledger
        .filter((entry) => entry.productId === productId)
        .reduce((sum, { delta }) => sum + delta, 0);
      const whole = now >= 0 && initial === now + units && initial + moved === now;
      return whole ? [] : [`product ${productId}: ${now} left, ${units} taken, moved ${moved} of ${initial}`];
    });
  }

  return {
    held,
    holding,
    stock: () => initialStock.map((_, index) => stock.get(index + 1) ?? 0),
    violations,
    /** The client of one process; like the real one it retries a reservation with the same id. */
    clientOf(network: Network, life: Life): ProductClient {
      const ask = <T>(execute: () => T) =>
        network.request(life, execute, () => new ProductServiceUnavailable('no response'));
      return {
        reserve: (wanted) => ask(() => wanted.map(reserve)).catch(() => ask(() => wanted.map(reserve))),
        confirm: ({ reservationIds }) => ask(() => confirm(reservationIds)),
        release: ({ reservationId }) => ask(() => release(reservationId)),
        listHeld: (_age, _requestId, after) =>
          ask(() => (after === undefined ? held().map((id) => ({ id, created_at: '' })) : [])),
        listStanding: () => ask(held),
        statusesOf: (ids) => ask(() => statusesOf(ids)),
        quote: () => Promise.reject(new Error('quotes are not simulated')),
        isDown: () => false,
        close: () => undefined,
      };
    },
  };
}
