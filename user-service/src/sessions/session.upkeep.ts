import type { Logger } from 'pino';

interface UpkeepOptions {
  logger: Logger;
  /** Each removes old rows of one kind. */
  sweeps: (() => Promise<unknown>)[];
  /** Milliseconds. */
  sweepInterval?: number;
}

/** Removes old rows now and then; what fails is tried again in the next round. */
export function startSessionUpkeep({ logger, sweeps, sweepInterval = 600_000 }: UpkeepOptions) {
  const quietly = (work: () => Promise<unknown>) => () =>
    work().catch((error: unknown) => logger.warn({ err: error }, 'upkeep failed'));
  const timers = sweeps.map((sweep) => setInterval(quietly(sweep), sweepInterval).unref());
  return { close: () => timers.forEach(clearInterval) };
}
