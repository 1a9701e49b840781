import { isLockTimeout } from '@shop/service-kit/postgres/database-errors';
import { ProductBusy } from './product.errors.ts';

/** For the `catch` of a product change. @throws ProductBusy if another transaction held a row locked, otherwise the error */
export function refuseBusy(error: unknown): never {
  throw isLockTimeout(error) ? new ProductBusy() : error;
}
