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
export async function openAccounts({
  config,
  service,
  logger,
  metrics,
}: OpenAccountsOptions): Promise<OpenAccounts> {
  const { USER_SERVICE_URL: url, SERVICE_TOKEN_SECRET: serviceTokenSecret } = config;
  if (url === undefined) {
    logger.warn('USER_SERVICE_URL is not set: tokens of revoked sessions are accepted until they expire');
    return unknownAccounts;
  }
  const client = createAccountsClient({ url, serviceTokenSecret, service, metrics });
  const staleAfter = config.ACCOUNTS_STALE_AFTER;
  const accounts = await startAccountsReader({
    readChanges: client.readChanges,
    logger,
    registry: metrics.registry,
    staleAfter,
  });
  return {
    ...accounts,
    readChanges: client.readChanges,
    close() {
      accounts.close();
      client.close();
    },
  };
}
