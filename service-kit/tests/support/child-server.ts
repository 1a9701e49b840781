import { pbkdf2 } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import express from 'express';
import { z } from 'zod';
import { loadConfig, wholeNumber } from '../../src/runtime/config.ts';
import { runServer } from '../../src/runtime/run-server.ts';

// A service as small as can be, for tests that need a process of its own.
const schema = z.object({
  PORT: wholeNumber(0, 65_535, 0),
  HOST: z.string().default('127.0.0.1'),
  LOG_LEVEL: z.string().default('info'),
  DRAIN_TIMEOUT: wholeNumber(0, 60_000, 8000),
  NEEDED: z.string(),
  ALSO_NEEDED: z.string(),
});

/** Whatever is written to the log meanwhile has to wait for one of libuv's threads. */
function keepThreadsBusy(): void {
  for (let i = 0; i < 16; i += 1) pbkdf2('password', 'salt', 10_000, 64, 'sha512', () => undefined);
}

await runServer({
  service: 'child',
  loadConfig: () => loadConfig(schema, process.env),
  async start({ config, logger }) {
    if (config.NEEDED === 'fail at start') throw Object.assign(new Error(''), { code: 'ECONNREFUSED' });
    const app = express();
    app.get('/slow', async (_request, response) => {
      logger.info('slow began');
      await sleep(500);
      response.send('done');
    });
    const close = async () => {
      if (config.NEEDED === 'busy threads') keepThreadsBusy();
      logger.info('closed');
      if (config.NEEDED === 'fail at stop') throw new Error('the pool\ncould not be closed');
    };
    return { app, close };
  },
});
