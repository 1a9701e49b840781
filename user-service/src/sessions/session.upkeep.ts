import type { RedisConnection } from '@shop/service-kit/redis/connect';
import type { Revocations, Revoked } from '@shop/service-kit/redis/revocations';
import type { Logger } from 'pino';
import { MAX_ACCESS_TOKEN_LIFETIME } from '../config.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { createUpkeepRepository } from './upkeep.repository.ts';

interface SessionUpkeepOptions {
  db: Prisma.TransactionClient;
  redis: RedisConnection | undefined;
  revocations: Revocations;
  logger: Logger;
  /** What removes other old rows, at the same times. */
  sweeps?: (() => Promise<unknown>)[];
  /** Milliseconds. */
  restoreInterval?: number;
  /** Milliseconds. */
  sweepInterval?: number;
}

/**
 * Brings revocations back from the database, which is what knows them for sure: at the start, whenever Redis becomes
 * ready, and when its marker is gone, as after a flush. Now and then it removes old sessions. The first round is over
 * when this resolves; what fails is tried again in the next one.
 */
export async function startSessionUpkeep(options: SessionUpkeepOptions) {
  const { db, redis, revocations, logger, sweeps = [] } = options;
  const { restoreInterval = 2000, sweepInterval = 600_000 } = options;
  const sessions = createUpkeepRepository(db);
  const marker = `${redis?.prefix ?? ''}revocations:restored`;
  let isDue = true;

  const markerIsMissing = async () =>
    redis !== undefined && (await redis.run((client) => client.exists(marker)).catch(() => 1)) === 0;
  const restoreAll = async () => {
    let last: Revoked | undefined;
    do {
      const page = await sessions.listRevoked(MAX_ACCESS_TOKEN_LIFETIME, last);
      await revocations.restore(page);
      last = page.at(-1);
    } while (last !== undefined);
  };
  const restore = async () => {
    if (!isDue && !(await markerIsMissing())) return;
    isDue = false;
    try {
      await restoreAll();
      await redis?.run((client) => client.set(marker, '1')).catch(() => undefined);
    } catch (error) {
      isDue = true;
      throw error;
    }
  };
  const quietly = (work: () => Promise<unknown>) => () =>
    work().catch((error: unknown) => logger.warn({ err: error }, 'upkeep failed'));

  const restoreQuietly = quietly(restore);
  const onReady = () => {
    isDue = true;
    void restoreQuietly();
  };
  await restoreQuietly();
  redis?.client.on('ready', onReady);
  const timers = [
    setInterval(restoreQuietly, restoreInterval).unref(),
    ...[sessions.removeOld, ...sweeps].map((sweep) => setInterval(quietly(sweep), sweepInterval).unref()),
  ];
  return {
    close() {
      redis?.client.off('ready', onReady);
      timers.forEach(clearInterval);
    },
  };
}
