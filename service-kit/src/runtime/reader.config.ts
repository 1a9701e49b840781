import { z } from 'zod';
import { accountsConfig, commonConfig, httpUrl, loadConfig, withSecrets } from './config.ts';

/** Fields of a service that verifies access tokens and issues none; `loadReaderConfig` checks that it has one of the keys. */
export const readerConfig = {
  ...commonConfig,
  ...accountsConfig,
  JWT_SECRET_KEY: z
    .string()
    .min(1)
    .optional()
    .describe('Signs and verifies access tokens (HS256); the same in all services'),
  JWKS_URL: httpUrl
    .optional()
    .describe('Instead of `JWT_SECRET_KEY`: where user-service publishes its public keys (ES256)'),
  USER_SERVICE_URL: httpUrl
    .optional()
    .describe(
      'Where account changes are read. Required in production; without it, tokens of revoked sessions work until they expire',
    ),
};

type ReaderEnvironment = z.output<z.ZodObject<typeof readerConfig>>;

/**
 * The environment of such a service.
 * @param required further variables that must be set in production
 * @throws ConfigError naming every variable that is missing or wrong
 */
export function loadReaderConfig<Config extends ReaderEnvironment>(
  schema: z.ZodType<Config>,
  env: NodeJS.ProcessEnv,
  required: readonly (keyof Config & string)[] = [],
) {
  const hasOneKey = ({ JWT_SECRET_KEY, JWKS_URL }: Config) =>
    (JWT_SECRET_KEY === undefined) !== (JWKS_URL === undefined);
  const withOneKey = schema.refine(hasOneKey, {
    error: 'JWT_SECRET_KEY or JWKS_URL must be set, and not both',
    // Even if something else is wrong, so that all problems are reported at once.
    when: () => true,
  });
  return withSecrets(loadConfig(withOneKey, env), ['USER_SERVICE_URL', ...required]);
}
