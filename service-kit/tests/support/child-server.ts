import { pbkdf2 } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { z } from 'zod';
import { defineRoute } from '../../src/http/define-route.ts';
import { commonConfig, loadConfig, wholeNumber } from '../../src/runtime/config.ts';
import { runServer } from '../../src/runtime/run-server.ts';
import { createTestApp } from './test-app.ts';

// A minimal service, for tests that need a separate process.
const schema = z.object({
  PORT: wholeNumber(0, 65_535, 0),
  HOST: z.string().default('127.0.0.1'),
  LOG_LEVEL: commonConfig.LOG_LEVEL,
  DRAIN_TIMEOUT: wholeNumber(0, 60_000, 8000),
  NEEDED: z.string(),
  ALSO_NEEDED: z.string(),
});

/** Occupies libuv's threads, so that log writes are delayed. */
function keepThreadsBusy(): void {
  for (let i = 0; i < 16; i += 1) pbkdf2('password', 'salt', 10_000, 64, 'sha512', () => undefined);
}

const how = z.object({ as: z.enum(['event', 'rejection', 'none']) });

/** Fails outside of the handler's promise: as an event or as a rejection. */
async function failOutside(as: z.output<typeof how>['as']): Promise<void> {
  if (as === 'event') setImmediate(() => new EventEmitter().emit('error', new Error('unhandled event')));
  if (as === 'rejection') void Promise.reject(new Error('unhandled rejection'));
  if (as !== 'none') await new Promise(() => undefined);
}

const common = { path: '/rows', who: 'anyone', limit: false, query: how, status: 200 } as const;
const failingRoutes = [
  defineRoute({
    ...common,
    method: 'post',
    summary: 'Take rows',
    stream: { types: ['text/csv'], maxBytes: 1000 },
    response: z.object({ bytes: z.int() }),
    async handler({ query, stream }) {
      let bytes = 0;
      for await (const chunk of stream.bytes) bytes += chunk.length;
      await failOutside(query.as);
      return { bytes };
    },
  }),
  defineRoute({
    ...common,
    method: 'get',
    summary: 'Return rows',
    response: z.object({ bytes: z.int() }),
    async handler({ query }) {
      await failOutside(query.as);
      return { bytes: 3 };
    },
  }),
];

await runServer({
  service: 'child',
  loadConfig: () => loadConfig(schema, process.env),
  async start({ config, logger }) {
    if (config.NEEDED === 'fail at start') {
      logger.warn('failing');
      throw Object.assign(new Error(''), { code: 'ECONNREFUSED' });
    }
    const app = express();
    app.get('/slow', async (_request, response) => {
      logger.info('slow began');
      await sleep(500);
      response.send('done');
    });
    app.get('/unhandled', (_request, response) => {
      response.send('done');
      setTimeout(() => {
        throw new Error('outside of any request');
      });
    });
    const { app: rows } = createTestApp({ routes: failingRoutes, logger });
    app.use(rows);
    const close = async () => {
      if (config.NEEDED === 'busy threads') keepThreadsBusy();
      logger.info('closed');
      if (config.NEEDED === 'fail at stop') throw new Error('the pool\ncould not be closed');
    };
    return { app, close };
  },
});
