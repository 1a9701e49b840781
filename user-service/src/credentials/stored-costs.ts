import type { Query } from '@shop/service-kit/postgres/query';
import type { Logger } from 'pino';
import { createCredentialRepository } from './credential.repository.ts';
import type { PasswordHasher } from './password.hasher.ts';

interface StoredCostsOptions {
  query: Query;
  hasher: PasswordHasher;
  logger: Logger;
}

/**
 * Prepares the hasher for what is stored: after `BCRYPT_COST` was lowered, the time of a wrong password must not reveal
 * older accounts. Without a database the hasher learns the cost from the first such account that it sees.
 */
export async function expectStoredCosts({ query, hasher, logger }: StoredCostsOptions): Promise<void> {
  try {
    const cost = await createCredentialRepository(query).highestCost();
    if (cost !== undefined) hasher.expectCost(cost);
  } catch (error) {
    logger.warn({ err: error }, 'costs of stored passwords could not be read');
  }
}
