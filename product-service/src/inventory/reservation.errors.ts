import { defineError } from '@shop/service-kit/errors/app-error';
import { ProductBusy } from '../products/product.errors.ts';

export const ReservationMismatch = defineError(
  422,
  'reservation_mismatch',
  'This reservation id stands for other items',
);

/** The expected failures of each operation: what its use-case may throw. */
export const errorsOf = {
  reserveStock: [ReservationMismatch, ProductBusy],
};
