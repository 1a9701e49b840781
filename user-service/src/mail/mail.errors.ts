import { defineError } from '@shop/service-kit/errors/app-error';

export const InvalidMailToken = defineError(
  400,
  'invalid_token',
  'The link is invalid, was used before or has expired; ask for a new one',
);
