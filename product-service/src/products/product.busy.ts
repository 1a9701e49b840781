import { isLockTimeout, isStatementTimeout } from '@shop/service-kit/postgres/database-errors';
import { ProductBusy } from './product.errors.ts';

/**
 * For the `catch` of a product change. A locked row is waited for twice, first at the head of its queue and then for its
 * holder; the second wait may last until the time limit of the statement.
 * @throws ProductBusy if another transaction held a row locked, otherwise the error
 */
export function refuseBusy(error: unknown): never {
  throw isLockTimeout(error) || isStatementTimeout(error) ? new ProductBusy() : error;
}
