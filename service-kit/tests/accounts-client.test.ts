import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import express from 'express';
import request from 'supertest';
import { changesPage, type ReadChanges } from '../src/accounts/account-changes.ts';
import { openAccounts } from '../src/accounts/open-accounts.ts';
import { defineRoute } from '../src/http/define-route.ts';
import { createMetrics } from '../src/runtime/metrics.ts';
import { createServiceTokenVerifier } from '../src/tokens/service-token.ts';
import { TEST_SERVICE_SECRET } from '../testing/test-tokens.ts';
import { createSource, ended, tokenOf } from './support/account-source.ts';
import { createRecordingLogger, createTestApp } from './support/test-app.ts';

const toClose: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(toClose.splice(0).map((close) => close()));
});

describe('account changes over HTTP', () => {
  async function listen(handler: RequestListener) {
    const server = createServer(handler).listen(0, '127.0.0.1');
    await once(server, 'listening');
    toClose.push(
      () => new Promise((resolve) => server.close(resolve)),
      () => server.closeAllConnections(),
    );
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  /** The feed of user-service. */
  const serve = (readChanges: ReadChanges) =>
    createTestApp({
      service: 'user-service',
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
    const metrics = createMetrics('kit');
    const accounts = await openAccounts({ config, service: 'order-service', logger, metrics });
    toClose.push(() => accounts.close());
    return { accounts, lines };
  };

  test('are read with a service token', async () => {
    const { accounts } = await openAt(await listen(serve(createSource(ended('s')).readChanges)));
    expect([accounts.isKnown(), accounts.isVoid(tokenOf('s'))]).toEqual([true, true]);
  });

  test.each([-7200, 7200])('are read although the clock differs by %i s', async (seconds) => {
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

  test('are not known after an error response', async () => {
    const { accounts, lines } = await openAt(
      await listen((_request, response) => void response.writeHead(500).end()),
    );
    expect(accounts.isKnown()).toBe(false);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'warn', reason: 'user-service returned 500' }),
    );
  });

  test('are not read without USER_SERVICE_URL: tokens are accepted, and the log warns', async () => {
    const { accounts, lines } = await openAt(undefined);
    expect([accounts.isKnown(), accounts.isVoid(tokenOf('s'))]).toEqual([true, false]);
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'warn', msg: expect.stringContaining('USER_SERVICE_URL is not set') }),
    );
    expect(Math.abs(accounts.now() - Date.now() / 1000)).toBeLessThan(60);
    accounts.voidTokens([{ sessionId: 's' }]);
  });

  test('make /ready degraded, with 200, while they are out of date', async () => {
    const { accounts } = await openAt('http://127.0.0.1:1');
    const { app } = createTestApp({ routes: [], accounts });
    const response = await request(app).get('/ready').expect(200);
    expect(response.body).toMatchObject({ status: 'degraded', checks: { account_changes: 'down' } });
  });
});
