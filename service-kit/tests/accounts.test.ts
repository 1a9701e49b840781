import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import { type AccountChange, changesPage, type ReadChanges } from '../src/accounts/account-changes.ts';
import { startAccountsReader } from '../src/accounts/accounts.reader.ts';
import { openAccounts } from '../src/accounts/open-accounts.ts';
import { defineRoute } from '../src/http/define-route.ts';
import { createMetrics } from '../src/runtime/metrics.ts';
import { TEST_SERVICE_SECRET } from '../src/testing/test-tokens.ts';
import { createServiceTokenVerifier } from '../src/tokens/service-token.ts';
import { createRecordingLogger, createTestApp } from './support/test-app.ts';
import { until } from './support/until.ts';

const toClose: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(toClose.splice(0).map((close) => close()));
});

const NOW = 2_000_000_000;
const PAGE = 3;
const ended = (session: string, at = NOW): AccountChange => ({
  type: 'session',
  session_id: session,
  void_below: null,
  at,
});
const raised = (session: string, below: number): AccountChange =>
  ({ ...ended(session), void_below: below }) as AccountChange;
const allEnded = (user: number, below: number): AccountChange =>
  ({ ...raised('00000000-0000-0000-0000-000000000000', below), user_id: user }) as AccountChange;
const deleted = (user: number): AccountChange => ({ type: 'user_deleted', user_id: user, at: NOW });

/** The changes as user-service keeps them, with a clock of its own; it can be away. */
function createSource(...changes: AccountChange[]) {
  const source = { changes, now: NOW, isAway: false, reads: 0 };
  const readChanges: ReadChanges = async (after = '0') => {
    source.reads += 1;
    if (source.isAway) throw new Error('away');
    const begin = Number(after);
    const page = source.changes.slice(begin, begin + PAGE);
    return {
      changes: page,
      next: String(begin + page.length),
      more: source.changes.length > begin + PAGE,
      now: source.now,
    };
  };
  return { ...source, source, readChanges };
}

async function startReader(
  { readChanges }: { readChanges: ReadChanges },
  options: Partial<Parameters<typeof startAccountsReader>[0]> = {},
) {
  const { logger, lines } = createRecordingLogger();
  const metrics = createMetrics('kit');
  const accounts = await startAccountsReader({
    readChanges,
    logger,
    registry: metrics.registry,
    staleAfter: 60,
    interval: 10,
    ...options,
  });
  toClose.push(() => accounts.close());
  const gauge = async (name: string) =>
    (await metrics.registry.getSingleMetric(name)?.get())?.values[0]?.value;
  return { accounts, lines, gauge };
}
/** Waits for a read that begins after this call, and for its end. */
async function nextRead(source: { reads: number }) {
  const begun = source.reads;
  await until('two more reads have begun', () => source.reads > begun + 1);
}
const tokenOf = (sessionId: string, generation = 1, id = 7) => ({ sessionId, generation, id });

describe('a reader of account changes', () => {
  test('knows what was changed before it started, over all pages', async () => {
    const changes = Array.from({ length: 10 }, (_, i) => ended(`s${i}`));
    const { accounts, gauge } = await startReader(createSource(...changes));
    expect(accounts.isKnown()).toBe(true);
    expect(changes.map((_, i) => accounts.isVoid(tokenOf(`s${i}`)))).toEqual(Array(10).fill(true));
    expect(accounts.isVoid(tokenOf('other'))).toBe(false);
    expect(await gauge('account_changes_known')).toBe(10);
  });

  test('refuses tokens of lower generations, all of an ended session, all of a deleted user', async () => {
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

  test('refuses tokens of a user below a generation, whatever their sessions, by one entry', async () => {
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

  test('learns of a later change by itself', async () => {
    const { source, readChanges } = createSource();
    const { accounts } = await startReader({ readChanges });
    source.changes.push(ended('s'));
    await until('it is known', () => accounts.isVoid(tokenOf('s')));
  });

  test('refuses at once what its caller has committed, also while the feed cannot be read', async () => {
    const { source, readChanges } = createSource();
    const { accounts } = await startReader({ readChanges });
    source.isAway = true;
    accounts.voidTokens([{ sessionId: 's' }, { userId: 8, below: 2 }, { userId: 9 }]);
    const tokens = [tokenOf('s'), tokenOf('a', 1, 8), tokenOf('a', 2, 8), tokenOf('a', 2, 9)];
    expect(tokens.map(accounts.isVoid)).toEqual([true, true, false, true]);
  });

  test('forgets a change when no token from before it can live any more, by the clock of the source', async () => {
    const { source, readChanges } = createSource(ended('s'), deleted(7));
    const { accounts, gauge } = await startReader({ readChanges }, { tokenLifetime: 3600 });
    source.now = NOW + 3599;
    await nextRead(source);
    expect(accounts.isVoid(tokenOf('s'))).toBe(true);
    source.now = NOW + 3602;
    await nextRead(source);
    expect(accounts.isVoid(tokenOf('s'))).toBe(false);
    expect(await gauge('account_changes_known')).toBe(0);
    expect(Math.round(accounts.now())).toBe(source.now);
  });

  test('judges no token before it has read, and then goes on with its copy while it is cut off', async () => {
    const { source, readChanges } = createSource(ended('s'));
    source.isAway = true;
    const { accounts, lines, gauge } = await startReader({ readChanges }, { staleAfter: 0 });
    expect(accounts.isKnown()).toBe(false);
    await expect(accounts.checks['account_changes']?.()).rejects.toThrow('out of date');
    source.isAway = false;
    await until('it has read', () => accounts.isKnown());
    source.isAway = true;
    await until('it says so', () =>
      lines.some(({ msg }) => msg === 'degraded: account changes are out of date'),
    );
    await expect(accounts.checks['account_changes']?.()).rejects.toThrow('out of date');
    expect(await gauge('account_changes_degraded')).toBe(1);
    expect(accounts.isVoid(tokenOf('s'))).toBe(true);
    expect(lines.filter(({ msg }) => msg === 'account changes cannot be read').length).toBeLessThanOrEqual(2);
  });

  test('is not degraded before so many seconds without a read', async () => {
    const { source, readChanges } = createSource();
    const { accounts, gauge, lines } = await startReader({ readChanges });
    source.isAway = true;
    await until('it has failed', () => lines.some(({ msg }) => msg === 'account changes cannot be read'));
    await expect(accounts.checks['account_changes']?.()).resolves.toBeUndefined();
    expect(await gauge('account_changes_degraded')).toBe(0);
  });
});

describe('over HTTP', () => {
  async function listen(handler: RequestListener) {
    const server = createServer(handler).listen(0, '127.0.0.1');
    await once(server, 'listening');
    toClose.push(
      () => new Promise((resolve) => server.close(resolve)),
      () => server.closeAllConnections(),
    );
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  /** user-service, as far as its feed goes. */
  const serve = (readChanges: ReadChanges) =>
    createTestApp({
      serviceTokens: createServiceTokenVerifier(TEST_SERVICE_SECRET, 'user-service'),
      routes: [
        defineRoute({
          method: 'get',
          path: '/internal/accounts/changes',
          summary: 'changes',
          who: 'service',
          limit: false,
          status: 200,
          response: changesPage,
          handler: () => readChanges(undefined),
        }),
      ],
    }).app;
  const openAt = async (url: string | undefined) => {
    const { logger, lines } = createRecordingLogger();
    const config = {
      USER_SERVICE_URL: url,
      SERVICE_TOKEN_SECRET: TEST_SERVICE_SECRET,
      ACCOUNTS_STALE_AFTER: 60,
    };
    const { registry } = createMetrics('kit');
    const accounts = await openAccounts({ config, service: 'order-service', logger, registry });
    toClose.push(() => accounts.close());
    return { accounts, lines };
  };

  test('the changes are read with the token of a service', async () => {
    const { accounts } = await openAt(await listen(serve(createSource(ended('s')).readChanges)));
    expect([accounts.isKnown(), accounts.isVoid(tokenOf('s'))]).toEqual([true, true]);
  });

  test.each([-7200, 7200])('a clock that is %i s off does not keep it from reading', async (seconds) => {
    const { readChanges } = createSource(ended('s'));
    const verifier = createServiceTokenVerifier(TEST_SERVICE_SECRET, 'user-service');
    const other = () => Date.now() + seconds * 1000;
    const app = express();
    app.get('/internal/accounts/changes', async (incoming, response) => {
      const token = String(incoming.headers.authorization).slice('Bearer '.length);
      const { iat = 0 } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
        iat?: number;
      };
      response.setHeader('Date', new Date(other()).toUTCString());
      const isRight = Math.abs(iat - other() / 1000) < 60;
      if (!isRight && verifier.verify(token) === undefined) return void response.status(500).end();
      if (!isRight) return void response.status(401).end();
      response.json(await readChanges(undefined));
    });
    const { accounts } = await openAt(await listen(app));
    expect([accounts.isKnown(), accounts.isVoid(tokenOf('s'))]).toEqual([true, true]);
  });

  test('a response that is none counts as no read', async () => {
    const { accounts, lines } = await openAt(
      await listen((_request, response) => void response.writeHead(500).end()),
    );
    expect(accounts.isKnown()).toBe(false);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'warn', reason: 'user-service answered 500' }),
    );
  });

  test('without an address nothing is read, tokens are good, and the log says so', async () => {
    const { accounts, lines } = await openAt(undefined);
    expect([accounts.isKnown(), accounts.isVoid(tokenOf('s'))]).toEqual([true, false]);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'warn', msg: expect.stringContaining('USER_SERVICE_URL is not set') }),
    );
    expect(Math.abs(accounts.now() - Date.now() / 1000)).toBeLessThan(60);
    accounts.voidTokens([{ sessionId: 's' }]);
  });

  test('readiness is degraded, and 200, while the changes are out of date', async () => {
    const { accounts } = await openAt('http://127.0.0.1:1');
    const { app } = createTestApp({ routes: [], accounts });
    const response = await request(app).get('/ready').expect(200);
    expect(response.body).toMatchObject({ status: 'degraded', checks: { account_changes: 'down' } });
  });
});
