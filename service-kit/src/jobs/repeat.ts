import type { Logger } from 'pino';

/**
 * Calls `work` now and then repeatedly, `interval` milliseconds after it ended (plus up to a fifth, so that replicas do not
 * run in step). A failure is logged and does not stop the repetition.
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
