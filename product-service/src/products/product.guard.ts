import { Forbidden } from '@shop/service-kit/errors/http-errors';
import type { User } from '@shop/service-kit/http/request-context';
import { ProductNotFound, VersionMismatch } from './product.errors.ts';
import { type KnownBy, knownIn } from './product.etag.ts';
import type { Product } from './product.schemas.ts';

/** Who wants to change a product, and which states of it he knows. */
export interface Guard {
  userId: number;
  /** Admins change every product, others their own. */
  isAdmin: boolean;
  /** Null: any product will do. */
  known: number[] | null;
  /** What `known` are numbers of. */
  by: KnownBy;
}

/** A product as it was when a change was tried. */
export type FoundProduct = Pick<Product, 'owner_id' | KnownBy | 'stock' | 'category'>;

/** @param by whether a change of the stock alone makes an `If-Match` stale: it does for who sets the stock */
export function guardOf(user: User, productId: number, ifMatch?: string, by: KnownBy = 'version'): Guard {
  return {
    userId: user.id,
    isAdmin: user.role === 'admin',
    known: knownIn(ifMatch, productId, by),
    by,
  };
}

/** @throws ProductNotFound, Forbidden, VersionMismatch: the reason why the guard kept a change from being made */
export function assertPasses(guard: Guard, found: FoundProduct | undefined): asserts found is FoundProduct {
  if (found === undefined) throw new ProductNotFound();
  if (!guard.isAdmin && guard.userId !== found.owner_id) throw new Forbidden();
  if (guard.known !== null && !guard.known.includes(found[guard.by])) throw new VersionMismatch();
}

/**
 * Throws why the guard kept a change from being made, if it did. Who is told of another version, or of no product, may
 * have been shown an answer that nobody knew to be old (a change was made, and whoever made it died): it is thrown away.
 * @param forget ends what is kept of the product
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
