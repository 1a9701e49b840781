import { describe, expect, test } from '@jest/globals';
import { withinTime } from '@shop/service-kit/deadline/deadline';
import { openBatcher, settled } from '../../tests/support/open-batcher.ts';

describe('a batcher', () => {
  test('sends a single item immediately, and later ones together after it', async () => {
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
    const { outcome, sent, queued } = openBatcher({ groupOf: (item) => item.length, concurrency: 2 });
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

  test('sends items that arrive in one turn of the event loop together', async () => {
    const { outcome, batches } = openBatcher();
    for (const item of ['a', 'b', 'c']) void outcome(item);
    await settled();
    expect(batches()).toEqual([['a', 'b', 'c']]);
  });

  test('limits a batch by items and by weight, and sends a heavier item alone', async () => {
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

  test('repeats the items one by one only if the batch certainly had no effect', async () => {
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

  test('runs batches of different groups in parallel, up to the limit', async () => {
    const { outcome, sent, batches } = openBatcher({ groupOf: (item) => item.charCodeAt(0), concurrency: 2 });
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

  test('gives a batch the latest deadline of its callers, and each caller its own', async () => {
    const { outcome, sent, batches } = openBatcher();
    const late = withinTime(200, () => outcome('late'));
    await settled();
    const waiting = withinTime(120, () => outcome('too late'));
    const patient = withinTime(60_000, () => outcome('patient'));
    const earlier = withinTime(50_000, () => outcome('due'));
    expect(sent[0]?.limit).toBeLessThanOrEqual(200);
    expect(await Promise.all([late, waiting])).toEqual(['unavailable', 'unavailable']);
    sent[0]?.end();
    await settled();
    expect(batches()).toEqual([['late'], ['patient', 'due']]);
    expect(sent[1]?.limit).toBeGreaterThan(50_000);
    sent[1]?.end();
    expect(await Promise.all([patient, earlier])).toEqual(['patient!', 'due!']);
    await settled();
    const endless = outcome('endless');
    await settled();
    expect(sent[2]?.limit).toBeUndefined();
    sent[2]?.end();
    expect(await endless).toBe('endless!');
  });

  test('does not send an item whose caller has too little time left', async () => {
    const { outcome, batches } = openBatcher();
    expect(await withinTime(20, () => outcome('a'))).toBe('unavailable');
    expect(batches()).toEqual([]);
  });
});
