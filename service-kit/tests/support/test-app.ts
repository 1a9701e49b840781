import { type Logger, pino } from 'pino';
import { unknownAccounts } from '../../src/accounts/accounts.ts';
import { createHttpApp, type HttpAppOptions } from '../../src/http/create-http-app.ts';
import type { Route } from '../../src/http/define-route.ts';
import type { RedisConnection } from '../../src/redis/connect.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { fixedKeys, secretKey } from '../../src/tokens/token-keys.ts';
import { TEST_JWT_SECRET, TEST_SERVICE_SECRET } from '../../testing/test-tokens.ts';

export const silent: Logger = pino({ level: 'silent' });

type LogLine = Record<string, unknown> & { level: string; msg: string };

/** A logger whose lines can be read back. */
export function createRecordingLogger(level = 'info') {
  const lines: LogLine[] = [];
  const logger = createLogger('kit', level, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { logger, lines };
}

interface TestAppOptions extends Partial<Omit<HttpAppOptions, 'routes' | 'config' | 'redis'>> {
  routes: Route[];
  config?: Partial<HttpAppOptions['config']>;
  redis?: RedisConnection | undefined;
}

/** An app with these routes, created as a service creates it, with defaults for all else. */
export function createTestApp({ routes, config, redis, ...rest }: TestAppOptions) {
  const { logger, lines } = createRecordingLogger();
  const metrics = createMetrics('kit');
  const app = createHttpApp({
    service: 'kit-service',
    description: 'Routes of the tests.',
    routes,
    config: {
      CORS_ORIGINS: '*',
      TRUST_PROXY: 0,
      RATE_LIMIT_ENABLED: true,
      TIME_LIMIT_FACTOR: 1,
      SERVICE_TOKEN_SECRET: TEST_SERVICE_SECRET,
      limits: {},
      ...config,
    },
    logger,
    metrics,
    redis,
    accessKeys: fixedKeys([secretKey(TEST_JWT_SECRET)]),
    accounts: unknownAccounts,
    checks: { required: {} },
    isStopping: () => false,
    ...rest,
  });
  return { app, lines, metrics };
}
