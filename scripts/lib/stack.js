import { explain } from './failure.js';

/** The started parts, which are stopped in reverse order, whatever fails. */
export function createStack() {
  /** @type {{ title: string, stop: () => Promise<unknown> }[]} */
  const entries = [];
  return {
    /**
     * @param {string} title
     * @param {() => Promise<unknown>} stop
     */
    push(title, stop) {
      entries.push({ title, stop });
    },
    /** @param {(title: string) => void} [onStop] */
    async unwind(onStop) {
      for (let entry = entries.pop(); entry; entry = entries.pop()) {
        const { title, stop } = entry;
        if (title) onStop?.(title);
        await stop().catch((error) => console.error(`${title}: ${explain(error)}`));
      }
    },
  };
}

/** @typedef {ReturnType<typeof createStack>} Stack */
