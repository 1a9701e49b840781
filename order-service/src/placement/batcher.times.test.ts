import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { withinTime } from '@shop/service-kit/deadline/deadline';
import { openBatcher, settled } from '../../tests/support/open-batcher.ts';

afterEach(() => void jest.useRealTimers());

describe('a batcher over time', () => {
  test('gathers items until they are enough', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    // In a process that is older than the longest wait.
    jest.advanceTimersByTime(1_000_000);
    let enough = 3;
    const { outcome, sent, batches, unsettled } = openBatcher({
      gather: { enough: () => enough, most: 600_000 },
    });
    const results = ['a', 'b'].map(outcome);
    await settled();
    expect(batches()).toEqual([]);
    results.push(outcome('c'));
    await settled();
    expect(batches()).toEqual([['a', 'b', 'c']]);
    expect(unsettled()).toBe(3);
    enough = 1;
    results.push(outcome('d'));
    sent[0]?.end();
    await settled();
    expect(batches()).toEqual([['a', 'b', 'c'], ['d']]);
    sent[1]?.end();
    expect(await Promise.all(results)).toEqual(['a!', 'b!', 'c!', 'd!']);
    expect(unsettled()).toBe(0);
  });

  test('gathers items for a limited time', async () => {
    const { outcome, sent, batches } = openBatcher({ gather: { enough: () => 3, most: 5 } });
    for (const [index, item] of ['a', 'b'].entries()) {
      const result = outcome(item);
      while (sent.length === index) await settled();
      sent[index]?.end();
      expect(await result).toBe(`${item}!`);
    }
    expect(batches()).toEqual([['a'], ['b']]);
  });

  test('sends the next batch of a group once the previous one is late', async () => {
    const { outcome, sent, batches } = openBatcher({ lateAfter: 20, concurrency: 3 });
    const results = [outcome('a')];
    await settled();
    results.push(...['b', 'c'].map(outcome));
    expect(batches()).toEqual([['a']]);
    while (sent.length < 2) await settled();
    results.push(outcome('d'));
    expect(batches()).toEqual([['a'], ['b', 'c']]);
    while (sent.length < 3) await settled();
    results.push(outcome('e'));
    // The limit is reached: the next one waits until a batch ends.
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(batches()).toEqual([['a'], ['b', 'c'], ['d']]);
    sent[1]?.end();
    await settled();
    expect(batches().slice(3)).toEqual([['e']]);
    for (const { end } of sent) end();
    expect(await Promise.all(results)).toEqual(['a!', 'b!', 'c!', 'd!', 'e!']);
  });

  test('lets the latest batch of a group decide, not a late one that ends', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] });
    const { outcome, sent, batches } = openBatcher({ lateAfter: 300, concurrency: 3 });
    void outcome('a');
    await settled();
    void outcome('b');
    jest.advanceTimersByTime(300);
    await settled();
    void outcome('c');
    sent[0]?.end();
    await settled();
    expect(batches()).toEqual([['a'], ['b']]);
    sent[1]?.end();
    await settled();
    expect(batches()).toEqual([['a'], ['b'], ['c']]);
  });

  test('counts an item once that is due before its batch ends', async () => {
    const { outcome, sent, unsettled } = openBatcher();
    const late = withinTime(100, () => outcome('late'));
    const other = outcome('other');
    await settled();
    expect(await late).toBe('unavailable');
    expect(unsettled()).toBe(1);
    sent[0]?.end();
    expect(await other).toBe('other!');
    expect(unsettled()).toBe(0);
  });

  test('repeats no item whose caller has gone', async () => {
    const { outcome, sent, batches } = openBatcher();
    const late = withinTime(100, () => outcome('late'));
    const other = outcome('other');
    await settled();
    expect(await late).toBe('unavailable');
    sent[0]?.end(new Error('refused'));
    await settled();
    sent[1]?.end();
    expect(await other).toBe('other!');
    expect(batches()).toEqual([['late', 'other'], ['other']]);
  });

  test('repeats nothing by default, because a failed batch may have had an effect', async () => {
    const { outcome, sent, batches } = openBatcher({ wasNotDone: 'by default' });
    const results = ['a', 'b'].map(outcome);
    await settled();
    sent[0]?.end(new Error('refused'));
    expect(await Promise.all(results)).toEqual(['refused', 'refused']);
    expect(batches()).toEqual([['a', 'b']]);
  });
});
