import { isLockTimeout } from '@shop/service-kit/postgres/database-errors';
import { ProductBusy } from './product.errors.ts';

/** For the `catch` of a change of products. @throws ProductBusy when somebody else held one locked, otherwise the error */
export function refuseBusy(error: unknown): never {
  throw isLockTimeout(error) ? new ProductBusy() : error;
}
