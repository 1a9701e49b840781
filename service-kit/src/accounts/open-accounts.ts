import type { Logger } from 'pino';
import type { Metrics } from '../runtime/metrics.ts';
import type { ReadChanges } from './account-changes.ts';
import { createAccountsClient } from './accounts.client.ts';
import { startAccountsReader } from './accounts.reader.ts';
import { type Accounts, unknownAccounts } from './accounts.ts';

interface OpenAccountsOptions {
  config: {
    USER_SERVICE_URL?: string | undefined;
    SERVICE_TOKEN_SECRET: string;
    ACCOUNTS_STALE_AFTER: number;
  };
  service: string;
  logger: Logger;
  metrics: Metrics;
}

export interface OpenAccounts extends Accounts {
  /** For readers with a cursor of their own; missing without `USER_SERVICE_URL`. */
  readChanges?: ReadChanges;
}

/** The accounts as user-service reports them. Without `USER_SERVICE_URL`, tokens are valid until they expire. */
export async function openAccounts(options: OpenAccountsOptions): Promise<OpenAccounts> {
  const { config, service, logger, metrics } = options;
  const { USER_SERVICE_URL: url, SERVICE_TOKEN_SECRET: serviceTokenSecret } = config;
  if (url === undefined) {
    logger.warn('USER_SERVICE_URL is not set: tokens of revoked sessions are accepted until they expire');
    return unknownAccounts;
  }
  const { readChanges, close } = createAccountsClient({ url, serviceTokenSecret, service, metrics });
  const accounts = await startAccountsReader({ config, logger, metrics, readChanges });
  return {
    ...accounts,
    readChanges,
    close() {
      accounts.close();
      close();
    },
  };
}
