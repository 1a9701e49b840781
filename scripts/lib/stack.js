import { explain } from './failure.js';

/**
 * What has been started, to be stopped in the reverse order, whatever goes wrong on the way.
 */
export function createStack() {
  /** @type {{ title: string, stop: () => Promise<void> }[]} */
  const entries = [];
  return {
    /**
     * @param {string} title
     * @param {() => Promise<void>} stop
     */
    push(title, stop) {
      entries.push({ title, stop });
    },
    /** @param {(title: string) => void} [onStop] */
    async unwind(onStop) {
      for (let entry = entries.pop(); entry; entry = entries.pop()) {
        if (entry.title) onStop?.(entry.title);
        await entry.stop().catch((error) => console.error(`${entry?.title}: ${explain(error)}`));
      }
    },
  };
}

/** @typedef {ReturnType<typeof createStack>} Stack */
