import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { ReadChanges } from '../src/accounts/account-changes.ts';
import { startAccountsReader } from '../src/accounts/accounts.reader.ts';
import { createMetrics } from '../src/runtime/metrics.ts';
import { until } from '../testing/until.ts';
import { allEnded, createSource, deleted, ended, NOW, raised, tokenOf } from './support/account-source.ts';
import { createRecordingLogger } from './support/test-app.ts';

const toClose: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(toClose.splice(0).map((close) => close()));
});

async function startReader(
  { readChanges }: { readChanges: ReadChanges },
  options: Partial<Parameters<typeof startAccountsReader>[0]> = {},
) {
  const { logger, lines } = createRecordingLogger();
  const metrics = createMetrics('kit');
  const accounts = await startAccountsReader({
    readChanges,
    config: { ACCOUNTS_STALE_AFTER: 60 },
    logger,
    metrics,
    interval: 10,
    ...options,
  });
  toClose.push(() => accounts.close());
  const gauge = async (name: string) =>
    (await metrics.registry.getSingleMetric(name)?.get())?.values[0]?.value;
  return { accounts, lines, gauge };
}
/** Waits until a read that begins after this call has finished. */
async function nextRead(source: { reads: number }) {
  const begun = source.reads;
  await until('two more reads have begun', () => source.reads > begun + 1);
}

describe('a reader of account changes', () => {
  test('learns all earlier changes at its start, over several pages', async () => {
    const changes = Array.from({ length: 10 }, (_, i) => ended(`s${i}`));
    const { accounts, gauge } = await startReader(createSource(...changes));
    expect(accounts.isKnown()).toBe(true);
    expect(changes.map((_, i) => accounts.isVoid(tokenOf(`s${i}`)))).toEqual(Array(10).fill(true));
    expect(accounts.isVoid(tokenOf('other'))).toBe(false);
    expect(await gauge('account_changes_known')).toBe(10);
  });

  test('revokes tokens of lower generations, and all tokens of a revoked session or a deleted user', async () => {
    const { accounts } = await startReader(
      createSource(raised('r', 3), raised('r', 2), ended('e'), raised('e', 2), deleted(9)),
    );
    expect([0, 2, 3, 4].map((generation) => accounts.isVoid(tokenOf('r', generation)))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(accounts.isVoid(tokenOf('e', 1_000_000))).toBe(true);
    expect([9, 10].map((user) => accounts.isVoid(tokenOf('any', 1, user)))).toEqual([true, false]);
  });

  test('revokes the tokens of all sessions of a user with one entry', async () => {
    const { accounts, gauge } = await startReader(
      createSource(allEnded(7, 3), allEnded(7, 2), allEnded(8, 2), deleted(8)),
    );
    const isVoid = (id: number, generation: number) =>
      ['a', 'b'].map((session) => accounts.isVoid(tokenOf(session, generation, id)));
    expect([0, 2, 3].map((generation) => isVoid(7, generation))).toEqual([
      [true, true],
      [true, true],
      [false, false],
    ]);
    expect([isVoid(8, 1_000_000), isVoid(9, 0)]).toEqual([
      [true, true],
      [false, false],
    ]);
    expect(accounts.isVoid(tokenOf('00000000-0000-0000-0000-000000000000', 1, 9))).toBe(false);
    expect(await gauge('account_changes_known')).toBe(2);
  });

  test('learns of later changes', async () => {
    const { source, readChanges } = createSource();
    const { accounts } = await startReader({ readChanges });
    source.changes.push(ended('s'));
    await until('the change is known', () => accounts.isVoid(tokenOf('s')));
  });

  test('reads once a second', async () => {
    jest.useFakeTimers({ doNotFake: ['performance'] });
    const { source, readChanges } = createSource();
    const { logger } = createRecordingLogger();
    const metrics = createMetrics('kit');
    const config = { ACCOUNTS_STALE_AFTER: 60 };
    const accounts = await startAccountsReader({ readChanges, config, logger, metrics });
    const reads = [source.reads];
    for (const milliseconds of [999, 1, 999, 1]) {
      await jest.advanceTimersByTimeAsync(milliseconds);
      reads.push(source.reads);
    }
    accounts.close();
    jest.useRealTimers();
    expect(reads).toEqual([1, 1, 2, 2, 3]);
  });

  test('checks no token between two pages of its first read', async () => {
    const { source, readChanges } = createSource(...Array.from({ length: 5 }, (_, i) => ended(`s${i}`)));
    const { accounts, lines } = await startReader({
      readChanges: (after) => {
        source.isDown = after === '3' && lines.length === 0;
        return readChanges(after);
      },
    });
    expect(accounts.isKnown()).toBe(false);
    await until('the second page is read', () => accounts.isKnown());
    expect([0, 4].map((i) => accounts.isVoid(tokenOf(`s${i}`)))).toEqual([true, true]);
  });

  test('revokes tokens immediately on request, even while the feed is unavailable', async () => {
    const { source, readChanges } = createSource();
    const { accounts } = await startReader({ readChanges });
    source.isDown = true;
    accounts.voidTokens([{ sessionId: 's' }, { userId: 8, below: 2 }, { userId: 9 }]);
    const tokens = [tokenOf('s'), tokenOf('a', 1, 8), tokenOf('a', 2, 8), tokenOf('a', 2, 9)];
    expect(tokens.map(accounts.isVoid)).toEqual([true, true, false, true]);
  });

  test('forgets a change when all older tokens have expired, by the clock of the source', async () => {
    const { source, readChanges } = createSource(ended('s'), deleted(7));
    const { accounts, gauge } = await startReader({ readChanges });
    source.now = NOW + 3599;
    await nextRead(source);
    expect(accounts.isVoid(tokenOf('s'))).toBe(true);
    source.now = NOW + 3602;
    await nextRead(source);
    expect(accounts.isVoid(tokenOf('s'))).toBe(false);
    expect(await gauge('account_changes_known')).toBe(0);
    expect(Math.round(accounts.now())).toBe(source.now);
  });

  test('checks no token before its first read, and uses its copy while the feed is unavailable', async () => {
    const { source, readChanges } = createSource(ended('s'));
    source.isDown = true;
    const { accounts, lines, gauge } = await startReader(
      { readChanges },
      { config: { ACCOUNTS_STALE_AFTER: 0 } },
    );
    expect(accounts.isKnown()).toBe(false);
    await expect(accounts.checks['account_changes']?.()).rejects.toThrow('out of date');
    source.isDown = false;
    await until('the feed has been read', () => accounts.isKnown());
    source.isDown = true;
    const count = (text: string) => lines.filter(({ msg }) => msg === text).length;
    await until('it is reported again', () => count('degraded: account changes are out of date') === 2);
    await expect(accounts.checks['account_changes']?.()).rejects.toThrow('out of date');
    expect(await gauge('account_changes_degraded')).toBe(1);
    expect([accounts.isKnown(), accounts.isVoid(tokenOf('s'))]).toEqual([true, true]);
    expect(count('account changes cannot be read')).toBe(2);
  });

  test('is not degraded until the configured time without a read has passed', async () => {
    const { source, readChanges } = createSource();
    const { accounts, gauge, lines } = await startReader({ readChanges });
    source.isDown = true;
    await until('a read has failed', () => lines.some(({ msg }) => msg === 'account changes cannot be read'));
    await expect(accounts.checks['account_changes']?.()).resolves.toBeUndefined();
    expect(await gauge('account_changes_degraded')).toBe(0);
  });
});
