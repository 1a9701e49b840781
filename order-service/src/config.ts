import { httpUrl, wholeNumber } from '@shop/service-kit/runtime/config';
import { limitsConfig } from '@shop/service-kit/runtime/limits.config';
import { loadReaderConfig, readerConfig } from '@shop/service-kit/runtime/reader.config';
import { z } from 'zod';

const limits = limitsConfig({
  order_create: { max: 30, seconds: 60, withoutRedis: 'pass' },
  order_reads: { max: 300, seconds: 60, withoutRedis: 'pass' },
  order_writes: { max: 60, seconds: 60, withoutRedis: 'pass' },
});

/** Where product-service listens on a developer's machine. */
const LOCAL_PRODUCT_SERVICE = 'http://localhost:5002';

export const orderConfigSchema = z.object({
  ...readerConfig,
  ...limits.shape,
  PORT: wholeNumber(0, 65_535, 5003).describe('Port to listen on'),
  PRODUCT_SERVICE_URL: httpUrl
    .optional()
    .describe('Where product-service is; `http://localhost:5002` in development, required in production'),
  PLACEMENT_DEADLINE: wholeNumber(1, 3600, 30).describe(
    'Seconds until the reconciler may reject an order that is still being placed',
  ),
  RECONCILE_INTERVAL: wholeNumber(100, 600_000, 5000).describe(
    'Milliseconds between two runs of the reconciler',
  ),
  ANTI_ENTROPY_INTERVAL: wholeNumber(100, 3_600_000, 60_000).describe(
    'Milliseconds between two comparisons with product-service',
  ),
  HELD_TOO_LONG: wholeNumber(1, 3600, 60).describe(
    'Seconds that a reservation may be held before it is compared with its order',
  ),
  COMPARE_INTERVAL: wholeNumber(100, 86_400_000, 600_000).describe(
    'Milliseconds between two comparisons of all that was ordered lately with all that is reserved, as after a restore',
  ),
  COMPARE_WINDOW: wholeNumber(60, 2_592_000, 7200).describe('Seconds that these comparisons look back'),
  KEY_LEASE: wholeNumber(1, 60, 5).describe(
    'Seconds that one request may work on a keyed order before a retry continues it',
  ),
});

/** @throws ConfigError */
export function loadOrderConfig(env: NodeJS.ProcessEnv) {
  const config = loadReaderConfig(orderConfigSchema, env, ['PRODUCT_SERVICE_URL']);
  return {
    ...config,
    PRODUCT_SERVICE_URL: config.PRODUCT_SERVICE_URL ?? LOCAL_PRODUCT_SERVICE,
    limits: limits.read(config),
  };
}

export type OrderConfig = ReturnType<typeof loadOrderConfig>;
