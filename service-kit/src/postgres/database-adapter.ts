import { PrismaPg } from '@prisma/adapter-pg';
import { poolSettings } from './pool-settings.ts';

/**
 * What a service's Prisma client reaches its database through. Connects with the first query.
 * @param max connections of this process
 */
export function databaseAdapter(connectionString: string, max: number): PrismaPg {
  return new PrismaPg(poolSettings(connectionString, max));
}
