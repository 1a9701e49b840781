import { explain } from './failure.ts';

/** The started parts, which are stopped in reverse order, whatever fails. */
export function createStack() {
  const entries: { title: string; stop: () => Promise<unknown> }[] = [];
  return {
    push(title: string, stop: () => Promise<unknown>) {
      entries.push({ title, stop });
    },
    async unwind(onStop?: (title: string) => void) {
      for (let entry = entries.pop(); entry; entry = entries.pop()) {
        const { title, stop } = entry;
        if (title) onStop?.(title);
        await stop().catch((error) => console.error(`${title}: ${explain(error)}`));
      }
    },
  };
}

export type Stack = ReturnType<typeof createStack>;
