import { defineError } from '@shop/service-kit/errors/app-error';

export const ReservationMismatch = defineError(
  422,
  'reservation_mismatch',
  'This reservation id stands for other items',
);
