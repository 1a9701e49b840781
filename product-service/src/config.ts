import { wholeNumber } from '@shop/service-kit/runtime/config';
import { limitsConfig } from '@shop/service-kit/runtime/limits.config';
import { loadReaderConfig, readerConfig } from '@shop/service-kit/runtime/reader.config';
import { z } from 'zod';

/** Reading and selling go on while Redis is unavailable: a lost limit harms less than a closed shop. */
const limits = limitsConfig({
  catalogue_reads: { max: 600, seconds: 60, withoutRedis: 'pass' },
  catalogue_writes: { max: 60, seconds: 60, withoutRedis: 'pass' },
  catalogue_files: { max: 10, seconds: 60, withoutRedis: 'count' },
});

export const productConfigSchema = z
  .object({
    ...readerConfig,
    PORT: wholeNumber(0, 65_535, 5002).describe('Port to listen on'),
    IMPORT_MAX_BYTES: wholeNumber(1000, 2_000_000_000, 200_000_000).describe(
      'Bytes of an imported file, after decompression',
    ),
    IMPORT_MAX_ROWS: wholeNumber(1, 5_000_000, 1_000_000).describe(
      'Rows of an imported file; each takes up to 24 bytes of memory',
    ),
    IMPORT_MAX_FAILURES: wholeNumber(0, 5_000_000, 100_000).describe(
      'Refused rows after which an import ends',
    ),
    IMPORT_MAX_SECONDS: wholeNumber(1, 86_400, 1800).describe('Seconds after which an import ends'),
    PRODUCT_CREATION: z
      .enum(['open', 'admin'])
      .default('open')
      .describe('Who may sell: every signed-in user (`open`), or admins only'),
  })
  .extend(limits.shape);

/** @throws ConfigError naming every variable that is missing or wrong */
export function loadProductConfig(env: NodeJS.ProcessEnv) {
  const config = loadReaderConfig(productConfigSchema, env);
  return { ...config, limits: limits.read(config) };
}

export type ProductConfig = ReturnType<typeof loadProductConfig>;
