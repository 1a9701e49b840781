import { atMost } from '@shop/service-kit/deadline/deadline';
import { createTurns } from '@shop/service-kit/deadline/turns';
import { Busy } from '@shop/service-kit/errors/http-errors';
import { isUniqueViolation } from '@shop/service-kit/postgres/database-errors';
import type { Query } from '@shop/service-kit/postgres/query';
import { refuseBusy } from '../products/product.busy.ts';
import { ProductBusy } from '../products/product.errors.ts';
import type { Product } from '../products/product.schemas.ts';
import { ReservationMismatch } from './reservation.errors.ts';
import {
  createReservationRepository,
  type ProductOnSale,
  type Reservation,
} from './reservation.repository.ts';
import type { Item, NewReservation, Quote, ReservationStatus, Shortage } from './reservation.schemas.ts';

interface ReservationOptions {
  query: Query;
  /** Called with the products whose stock was changed, as they are now, after the commit and before the response. */
  stockChanged: (products: Product[]) => Promise<void>;
  /** Connections that may wait for locked products at once: fewer than the pool has, so that others find one. */
  waiting: number;
  /** Multiplies the waiting times, for tests on a busy machine. */
  timeLimitFactor?: number | undefined;
}

/** Milliseconds that a reservation may wait for locked products. */
const LONG_WAIT = 900;
/** Milliseconds that a request needs after it has waited without success. */
const RESPOND_WITHIN = 200;
/** Reservations of this process that may queue for such a wait. */
const MAX_WAITING = 500;

/** Stock set aside for orders. Every call may be repeated: it returns the same result and has no further effect. */
export function createReservationUseCases({
  query,
  stockChanged,
  waiting,
  timeLimitFactor = 1,
}: ReservationOptions) {
  const reservations = createReservationRepository(query);
  const turns = createTurns({
    concurrency: waiting,
    maxWaiting: MAX_WAITING,
    maxWait: LONG_WAIT * timeLimitFactor,
  });

  async function reserveTogether(
    wanted: NewReservation[],
    actor: string,
    wait: number,
  ): Promise<Reservation[]> {
    const { products, reservations: made } = await reservations.reserve(wanted, actor, wait);
    if (products.length > 0) await stockChanged(products);
    return made;
  }

  /** In one statement where that is possible, so that many cost little more than one. */
  function reserveNow(wanted: NewReservation[], actor: string, wait = 0): Promise<Reservation[]> {
    return reserveTogether(wanted, actor, wait).catch(async (error: unknown) => {
      if (!isUniqueViolation(error)) throw error;
      // One of the ids was reserved or released in between; its row is there now.
      const each: Reservation[] = [];
      for (const one of wanted) each.push(...(await reserveTogether([one], actor, wait)));
      return each;
    });
  }

  /** The same after waiting for locked products; BUSY if too many are waiting already. */
  function reserveLater(wanted: NewReservation[], actor: string): Promise<Reservation[]> {
    const end = performance.now() + atMost(LONG_WAIT * timeLimitFactor);
    const busy = () =>
      wanted.map(({ reservation_id: id }) => ({ id, status: 'BUSY' as const, lines: null, refusal: null }));
    return turns(() => {
      const left = Math.min(end - performance.now(), atMost(Number.POSITIVE_INFINITY) - RESPOND_WITHIN);
      return left < 1 ? Promise.resolve(busy()) : reserveNow(wanted, actor, Math.floor(left));
    }).catch((error: unknown) => {
      if (error instanceof Busy) return busy();
      throw error;
    });
  }

  async function reserve(wanted: NewReservation[], actor: string, wait: boolean): Promise<Reservation[]> {
    const made = await (wait ? reserveLater(wanted, actor) : reserveNow(wanted, actor));
    const byId = new Map(made.map((entry) => [entry.id, entry]));
    return wanted.flatMap(({ reservation_id }) => byId.get(reservation_id) ?? []);
  }

  return {
    /** Each reservation takes all its items or none, independently of the others. @returns them in the same order */
    reserve,

    /** @throws ReservationMismatch when the id was used for other items, ProductBusy */
    async reserveOne(
      wanted: NewReservation,
      actor: string,
    ): Promise<Reservation & { status: ReservationStatus }> {
      // In one statement, which waits: this form is sent by clients that do not know BUSY.
      const [reservation] = await reserveNow([wanted], actor, LONG_WAIT * timeLimitFactor);
      if (reservation === undefined || reservation.status === 'BUSY') throw new ProductBusy();
      if (reservation.status === 'MISMATCH') throw new ReservationMismatch();
      return { ...reservation, status: reservation.status };
    },

    /** Confirms held reservations. @returns those that are confirmed now; the others were released, or do not exist */
    confirm: (ids: string[]) => reservations.confirm(ids),

    /** Returns the stock, once; an unknown id can never be reserved afterwards. @returns whether this call returned stock */
    async release(id: string, actor: string): Promise<boolean> {
      const { changed, products } = await reservations.release(id, actor).catch(refuseBusy);
      // The call that returned the stock may have been killed before it reported this, so a repetition reports it as well.
      const reported = changed ? products : await reservations.productsOf(id);
      if (reported.length > 0) await stockChanged(reported);
      return changed;
    },

    listHeld: reservations.listHeld,
    listStanding: reservations.listStanding,
    statusesOf: reservations.statusesOf,

    /** The current prices of each basket, and the items that are not available. Reserves nothing. */
    async quote(baskets: Item[][]): Promise<Quote[]> {
      const ids = new Set(baskets.flat().map((item) => item.product_id));
      const found = await reservations.findProducts([...ids]);
      const onSale = new Map(found.map((product) => [product.product_id, product]));
      return baskets.map((items) => {
        const refusal = items.flatMap((item) => shortageOf(item, onSale.get(item.product_id)));
        const lines = items.flatMap((item) => {
          const product = onSale.get(item.product_id);
          return product === undefined ? [] : [{ ...product, quantity: item.quantity }];
        });
        return { lines, refusal: refusal.length === 0 ? null : refusal };
      });
    },
  };
}

export type ReservationUseCases = ReturnType<typeof createReservationUseCases>;

function shortageOf({ product_id, quantity }: Item, product: ProductOnSale | undefined): Shortage[] {
  if (product !== undefined && product.stock >= quantity) return [];
  return [{ product_id, requested: quantity, available: product?.stock ?? null }];
}
