import { describe, expect, test } from '@jest/globals';
import { remainingTime, withinTime } from '@shop/service-kit/deadline/deadline';
import { createBatcher } from './batcher.ts';

interface Sent {
  items: string[];
  /** Milliseconds that the batch may take. */
  limit: number | undefined;
  end(error?: Error): void;
}

/** A batcher of texts that weigh their length, and the batches it sent, each under way until it is ended. */
interface Options {
  groupOf?: (item: string) => number;
  atOnce?: number;
  lateAfter?: number;
}

function openBatcher(options: Options = {}) {
  const sent: Sent[] = [];
  const add = createBatcher<string, string>({
    run: (items) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error) =>
          error === undefined ? resolve(items.map((item) => `${item}!`)) : reject(error);
        sent.push({ items, limit: remainingTime(), end });
      }),
    most: { items: 4, weight: 10 },
    weightOf: (item) => item.length,
    least: 50,
    wasNotDone: (error) => (error as Error).message === 'refused',
    ...options,
  });
  const outcome = (item: string) =>
    add(item).catch((error: { code?: string } & Error) => error.code ?? error.message);
  return { outcome, sent, batches: () => sent.map(({ items }) => items), queued: add.queued };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a batcher', () => {
  test('sends a lone item at once, and what arrives meanwhile together', async () => {
    const { outcome, sent, batches } = openBatcher();
    const results = [outcome('a')];
    await settled();
    results.push(...['b', 'c'].map(outcome));
    await settled();
    expect(batches()).toEqual([['a']]);
    sent[0]?.end();
    await settled();
    expect(batches()).toEqual([['a'], ['b', 'c']]);
    sent[1]?.end();
    expect(await Promise.all(results)).toEqual(['a!', 'b!', 'c!']);
    results.push(outcome('d'));
    await settled();
    expect(batches()).toEqual([['a'], ['b', 'c'], ['d']]);
  });

  test('knows how many items wait, of all groups', async () => {
    const { outcome, sent, queued } = openBatcher({ groupOf: (item) => item.length, atOnce: 2 });
    const results = ['a', 'bb'].map(outcome);
    await settled();
    expect(queued()).toBe(0);
    results.push(...['c', 'd', 'ee'].map(outcome));
    await settled();
    expect(queued()).toBe(3);
    sent[0]?.end();
    await settled();
    expect(queued()).toBe(1);
    for (const batch of sent) batch.end();
    await settled();
    for (const batch of sent) batch.end();
    await Promise.all(results);
    expect(queued()).toBe(0);
  });

  test('sends what arrives in one turn of the event loop together', async () => {
    const { outcome, batches } = openBatcher();
    for (const item of ['a', 'b', 'c']) void outcome(item);
    await settled();
    expect(batches()).toEqual([['a', 'b', 'c']]);
  });

  test('bounds a batch by items and by weight, and sends what is heavier alone', async () => {
    const { outcome, sent, batches } = openBatcher();
    void outcome('-');
    await settled();
    for (const item of ['aaaaaaaaaaaaaaaa', 'bbbbbb', 'cccc', 'dd', 'e', 'f', 'g', 'h']) void outcome(item);
    for (let i = 0; i < 5; i++) {
      sent[i]?.end();
      await settled();
    }
    expect(batches()).toEqual([
      ['-'],
      ['aaaaaaaaaaaaaaaa'],
      ['bbbbbb', 'cccc'],
      ['dd', 'e', 'f', 'g'],
      ['h'],
    ]);
  });

  test('repeats the items one by one only where nothing was done for certain', async () => {
    const { outcome, sent, batches } = openBatcher();
    const results = [outcome('-')];
    await settled();
    results.push(...['a', 'b'].map(outcome));
    sent[0]?.end(new Error('refused'));
    await settled();
    sent[1]?.end(new Error('refused'));
    await settled();
    sent[2]?.end(new Error('refused'));
    await settled();
    sent[3]?.end();
    expect(await Promise.all(results)).toEqual(['refused', 'refused', 'b!']);
    expect(batches()).toEqual([['-'], ['a', 'b'], ['a'], ['b']]);

    await settled();
    const others = [outcome('-')];
    await settled();
    others.push(...['c', 'd'].map(outcome));
    sent[4]?.end();
    await settled();
    sent[5]?.end(new Error('connection lost'));
    expect(await Promise.all(others)).toEqual(['-!', 'connection lost', 'connection lost']);
    expect(batches().slice(4)).toEqual([['-'], ['c', 'd']]);
  });

  test('lets no group wait for another one, up to so many at once', async () => {
    const { outcome, sent, batches } = openBatcher({ groupOf: (item) => item.charCodeAt(0), atOnce: 2 });
    for (const item of ['a1', 'b1']) void outcome(item);
    await settled();
    for (const item of ['a2', 'c1', 'a3', 'c2']) void outcome(item);
    await settled();
    expect(batches()).toEqual([['a1'], ['b1']]);
    sent[1]?.end();
    await settled();
    expect(batches().slice(2)).toEqual([['c1', 'c2']]);
    sent[0]?.end();
    await settled();
    expect(batches().slice(3)).toEqual([['a2', 'a3']]);
  });

  test('waits for no batch that is late, and for the one behind it until that is late too', async () => {
    const { outcome, sent, batches } = openBatcher({ lateAfter: 20, atOnce: 3 });
    const results = [outcome('a')];
    await settled();
    results.push(...['b', 'c'].map(outcome));
    expect(batches()).toEqual([['a']]);
    while (sent.length < 2) await settled();
    results.push(outcome('d'));
    expect(batches()).toEqual([['a'], ['b', 'c']]);
    while (sent.length < 3) await settled();
    results.push(outcome('e'));
    // As many as may be under way together: the next one waits for an end.
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(batches()).toEqual([['a'], ['b', 'c'], ['d']]);
    sent[1]?.end();
    await settled();
    expect(batches().slice(3)).toEqual([['e']]);
    for (const { end } of sent) end();
    expect(await Promise.all(results)).toEqual(['a!', 'b!', 'c!', 'd!', 'e!']);
  });

  test('gives a batch the time of the most patient, and no caller more than its own', async () => {
    const { outcome, sent, batches } = openBatcher();
    const late = withinTime(200, () => outcome('late'));
    await settled();
    const waiting = withinTime(120, () => outcome('too late'));
    const patient = withinTime(60_000, () => outcome('patient'));
    expect(sent[0]?.limit).toBeLessThanOrEqual(200);
    expect(await Promise.all([late, waiting])).toEqual(['unavailable', 'unavailable']);
    sent[0]?.end();
    await settled();
    expect(batches()).toEqual([['late'], ['patient']]);
    expect(sent[1]?.limit).toBeGreaterThan(200);
    sent[1]?.end();
    expect(await patient).toBe('patient!');
    await settled();
    const endless = outcome('endless');
    await settled();
    expect(sent[2]?.limit).toBeUndefined();
    sent[2]?.end();
    expect(await endless).toBe('endless!');
  });

  test('sends nothing for a caller who has too little time left for it', async () => {
    const { outcome, batches } = openBatcher();
    expect(await withinTime(20, () => outcome('a'))).toBe('unavailable');
    expect(batches()).toEqual([]);
  });
});
