import type { Logger } from 'pino';
import type { Checks } from '../runtime/health.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { openPublishedKeys } from './published-keys.ts';
import { fixedKeys, secretKey, type TokenKeys } from './token-keys.ts';

/** The keys with which a service that issues no access tokens verifies them. */
export interface AccessKeys extends TokenKeys {
  /** For `GET /ready`. */
  checks: Checks;
  close(): void;
}

interface AccessKeysConfig {
  JWT_SECRET_KEY?: string | undefined;
  JWKS_URL?: string | undefined;
}

export function openAccessKeys(
  { JWT_SECRET_KEY, JWKS_URL }: AccessKeysConfig,
  logger: Logger,
  metrics: Metrics,
): AccessKeys {
  if (JWKS_URL !== undefined) return openPublishedKeys({ url: JWKS_URL, logger, metrics });
  const secrets = JWT_SECRET_KEY === undefined ? [] : [secretKey(JWT_SECRET_KEY)];
  return { ...fixedKeys(secrets), checks: {}, close: () => undefined };
}
