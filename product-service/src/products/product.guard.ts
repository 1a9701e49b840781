import { Forbidden } from '@shop/service-kit/errors/http-errors';
import type { User } from '@shop/service-kit/http/principal';
import { ProductNotFound, VersionMismatch } from './product.errors.ts';
import { type KnownBy, knownIn } from './product.etag.ts';
import type { Product } from './product.schemas.ts';

/** The user who wants to change a product, and the versions of it that the request accepts. */
export interface Guard {
  userId: number;
  /** Admins may change every product, others only their own. */
  isAdmin: boolean;
  /** Null accepts any version. */
  known: number[] | null;
  /** Whether `known` contains versions or revisions. */
  by: KnownBy;
}

/** The product at the time of the attempted change. */
export type FoundProduct = Pick<Product, 'owner_id' | KnownBy | 'stock' | 'category'>;

/** @param by whether a pure stock change makes an `If-Match` stale: it does for a request that sets the stock */
export function guardOf(user: User, productId: number, ifMatch?: string, by: KnownBy = 'version'): Guard {
  return {
    userId: user.id,
    isAdmin: user.role === 'admin',
    known: knownIn(ifMatch, productId, by),
    by,
  };
}

/** @throws ProductNotFound, Forbidden, VersionMismatch: the reason why the guard prevented a change */
export function assertPasses(guard: Guard, found: FoundProduct | undefined): asserts found is FoundProduct {
  if (found === undefined) throw new ProductNotFound();
  if (!guard.isAdmin && guard.userId !== found.owner_id) throw new Forbidden();
  if (guard.known !== null && !guard.known.includes(found[guard.by])) throw new VersionMismatch();
}

/**
 * Throws the reason if the guard prevented a change. A client that meets another version, or no product, may have been
 * served a stale cache entry (its process died between commit and invalidation), so the entry is invalidated.
 * @param forget invalidates the product's cache entries
 * @throws ProductNotFound, Forbidden, VersionMismatch
 */
export async function refuseUnlessPasses(
  guard: Guard,
  found: FoundProduct | undefined,
  forget: () => Promise<void>,
): Promise<void> {
  try {
    assertPasses(guard, found);
  } catch (error) {
    if (!(error instanceof Forbidden)) await forget();
    throw error;
  }
}
