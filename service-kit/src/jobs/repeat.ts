import type { Logger } from 'pino';

/**
 * Calls `work` now and again and again, `interval` milliseconds after it ended (up to a fifth later, so that replicas do
 * not march in step). A failure is logged, and the next call comes all the same.
 */
export function repeat(name: string, interval: number, work: () => Promise<void>, logger: Logger) {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void>;
  let closed = false;
  const step = () => {
    running = work()
      .catch((error: unknown) => logger.warn({ err: error }, `${name} failed`))
      .finally(() => {
        if (!closed) timer = setTimeout(step, interval * (1 + Math.random() / 5));
      });
  };
  step();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
