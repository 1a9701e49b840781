import { z } from 'zod';
import {
  accountsConfig,
  commonConfig,
  loadConfig,
  requireInProduction,
  requireStrongSecret,
  serviceTokenSecretOf,
} from './config.ts';

/** Fields of a service that verifies access tokens and issues none; `loadReaderConfig` checks that it has one of the keys. */
export const readerConfig = {
  ...commonConfig,
  ...accountsConfig,
  JWT_SECRET_KEY: z
    .string()
    .min(1)
    .optional()
    .describe('Signs and verifies access tokens (HS256); the same in all services'),
  JWKS_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http:// address' })
    .optional()
    .describe('Instead of `JWT_SECRET_KEY`: where user-service publishes its public keys (ES256)'),
  USER_SERVICE_URL: z
    .url({ protocol: /^https?$/, error: 'must be an http:// address' })
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
  const config = loadConfig(requireOneKey(schema), env);
  requireStrongSecret('JWT_SECRET_KEY', config.JWT_SECRET_KEY, config.NODE_ENV);
  requireStrongSecret('SERVICE_TOKEN_SECRET', config.SERVICE_TOKEN_SECRET, config.NODE_ENV);
  requireInProduction(config, ['SERVICE_TOKEN_SECRET', 'USER_SERVICE_URL', ...required]);
  return { ...config, SERVICE_TOKEN_SECRET: serviceTokenSecretOf(config) };
}

/** Extends the schema: an environment with both keys, or neither, is refused. */
export function requireOneKey<Schema extends z.ZodType<{ JWT_SECRET_KEY?: unknown; JWKS_URL?: unknown }>>(
  schema: Schema,
): Schema {
  return schema.refine((env) => (env.JWT_SECRET_KEY === undefined) !== (env.JWKS_URL === undefined), {
    error: 'JWT_SECRET_KEY or JWKS_URL must be set, and not both',
    // Even if something else is wrong, so that all problems are reported at once.
    when: () => true,
  });
}
