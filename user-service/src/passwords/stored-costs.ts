import type { Logger } from 'pino';
import type { Prisma } from '../generated/prisma/client.ts';
import { createCredentialRepository } from './credential.repository.ts';
import type { PasswordHasher } from './password.hasher.ts';

interface StoredCostsOptions {
  db: Prisma.TransactionClient;
  hasher: PasswordHasher;
  logger: Logger;
}

/**
 * Prepares the hasher for what is stored: after `BCRYPT_COST` was lowered, accounts of before must not be known by how
 * long a wrong password takes. Without a database the hasher learns it from the first such account that it sees.
 */
export async function expectStoredCosts({ db, hasher, logger }: StoredCostsOptions): Promise<void> {
  try {
    const cost = await createCredentialRepository(db).highestCost();
    if (cost !== undefined) hasher.expectCost(cost);
  } catch (error) {
    logger.warn({ err: error }, 'costs of stored passwords could not be read');
  }
}
