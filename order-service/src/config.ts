import {
  accountsConfig,
  commonConfig,
  limitsConfig,
  loadConfig,
  requireInProduction,
  requireOneKey,
  requireStrongSecret,
  serviceTokenSecretOf,
  tokenReaderConfig,
  userServiceUrl,
  wholeNumber,
} from '@shop/service-kit/runtime/config';
import { z } from 'zod';

const limits = limitsConfig({
  order_create: { max: 30, seconds: 60, withoutRedis: 'pass' },
  order_reads: { max: 300, seconds: 60, withoutRedis: 'pass' },
  order_writes: { max: 60, seconds: 60, withoutRedis: 'pass' },
});

/** Where product-service listens on a developer's machine. */
const LOCAL_PRODUCT_SERVICE = 'http://localhost:5002';

const schema = z.object({
  ...commonConfig,
  ...tokenReaderConfig,
  ...accountsConfig,
  USER_SERVICE_URL: userServiceUrl,
  ...limits.shape,
  PORT: wholeNumber(0, 65_535, 5003),
  PRODUCT_SERVICE_URL: z.url({ protocol: /^https?$/, error: 'must be an http:// address' }).optional(),
  /** Seconds until the reconciler may reject an order that is still being placed (order-placement.md, step 1). */
  PLACEMENT_DEADLINE: wholeNumber(1, 3600, 30),
  /** Milliseconds between two looks of the reconciler. */
  RECONCILE_INTERVAL: wholeNumber(100, 600_000, 5000),
  /** Milliseconds between two comparisons with product-service. */
  ANTI_ENTROPY_INTERVAL: wholeNumber(100, 3_600_000, 60_000),
  /** Seconds that a reservation may be held before order-service is asked about it. */
  HELD_TOO_LONG: wholeNumber(1, 3600, 60),
  /** Seconds that one request may work on a keyed order before a retry carries it on: longer than any request lives. */
  KEY_LEASE: wholeNumber(1, 60, 5),
});

/** @throws ConfigError */
export function loadOrderConfig(env: NodeJS.ProcessEnv) {
  const config = loadConfig(requireOneKey(schema), env);
  requireStrongSecret('JWT_SECRET_KEY', config.JWT_SECRET_KEY, config.NODE_ENV);
  requireStrongSecret('SERVICE_TOKEN_SECRET', config.SERVICE_TOKEN_SECRET, config.NODE_ENV);
  requireInProduction(config, ['SERVICE_TOKEN_SECRET', 'USER_SERVICE_URL', 'PRODUCT_SERVICE_URL']);
  return {
    ...config,
    PRODUCT_SERVICE_URL: config.PRODUCT_SERVICE_URL ?? LOCAL_PRODUCT_SERVICE,
    SERVICE_TOKEN_SECRET: serviceTokenSecretOf(config),
    limits: limits.read(config),
  };
}

export type OrderConfig = ReturnType<typeof loadOrderConfig>;
