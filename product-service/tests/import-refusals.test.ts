import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createLogger } from '@shop/service-kit/runtime/logger';
import { bearer } from '@shop/service-kit/testing/test-tokens';
import { until } from '@shop/service-kit/testing/until';
import type { Express } from 'express';
import request from 'supertest';
import { importFile } from './support/catalogue-file.ts';
import { type OpenUpload, openUpload } from './support/open-upload.ts';
import { startTestShop, type TestShop } from './support/test-shop.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await startTestShop();
});
afterAll(() => shop.close());

const FILE = Buffer.from(
  `sku,name,price\n${Array.from({ length: 4000 }, (_, i) => `S${i},Lamp ${(i * 2_654_435_761) >>> 0},1\n`).join('')}`,
);
const FORM = Buffer.from(
  `--x\r\nContent-Disposition: form-data; name="note"\r\n\r\n${'a note'.repeat(1000)}\r\n--x--\r\n`,
);
const CODECS = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
] as const;
let errors: Record<string, unknown>[];
beforeEach(() => {
  errors = [];
});

/** A process of the service. Its lines of level error are collected. */
async function start(env: Record<string, string> = {}): Promise<Express> {
  const logger = createLogger('product-service', 'error', {
    write: (line) => void errors.push(JSON.parse(line)),
  });
  return (await shop.startReplica({ env, logger })).app;
}

/** Begins imports of these users, which run until they are closed. */
async function runImports(app: Express, users: number[]): Promise<OpenUpload[]> {
  const uploads: OpenUpload[] = [];
  for (const user of users) {
    uploads.push(await openUpload(app, bearer(user)));
    await until('the import is running', async () => {
      const { status } = await importFile(app, 'name,price\n', { authorization: bearer(user) });
      return status === 409;
    });
  }
  return uploads;
}

interface Refused {
  status: number;
  code: string;
  env?: Record<string, string>;
  /** Users whose imports are running; the refused one is of user 7. */
  running?: number[];
  /** Imports of user 7 before the refused one. */
  before?: number;
  query?: string;
  type?: string;
  authorization?: string;
}

const REFUSED: [string, Refused][] = [
  ['without a token', { status: 401, code: 'unauthenticated', authorization: 'Bearer none' }],
  ['of a user who may not sell', { status: 403, code: 'forbidden', env: { PRODUCT_CREATION: 'admin' } }],
  ['while one of the same user is running', { status: 409, code: 'import_running', running: [7] }],
  ['while four are running', { status: 503, code: 'unavailable', running: [1, 2, 3, 4] }],
  [
    'beyond the limit',
    {
      status: 429,
      code: 'rate_limited',
      env: { RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_CATALOGUE_FILES: '1/3600' },
      before: 1,
    },
  ],
  ['with an unknown parameter', { status: 400, code: 'validation_failed', query: 'dryrun=true' }],
  ['of another type', { status: 415, code: 'unsupported_media_type', type: 'image/png' }],
];
const BODIES = CODECS.flatMap(([encoding, compress]) => [
  { encoding, state: 'whole', body: compress(FILE) },
  { encoding, state: 'cut off', body: compress(FILE).subarray(0, -100) },
  { encoding, state: 'garbage', body: Buffer.alloc(50_000, 'no such thing') },
]);

describe.each(REFUSED)('a compressed import %s', (_what, refused) => {
  const { status, code, env, running = [], before = 0, query = '', type = 'text/csv' } = refused;
  let app: Express;
  let uploads: OpenUpload[];
  beforeAll(async () => {
    app = await start(env);
    uploads = await runImports(app, running);
    for (let i = 0; i < before; i += 1) await importFile(app, 'name,price\n').expect(200);
  });
  afterAll(() => {
    for (const { close } of uploads) close();
  });

  test.each(BODIES)('is refused, and the process goes on: $encoding, $state', async ({ encoding, body }) => {
    const own = refused.authorization === undefined ? {} : { authorization: refused.authorization };
    const response = await importFile(app, body, { encoding, query, type, ...own });
    expect([response.status, response.body.code]).toEqual([status, code]);
    await request(app).get('/health').expect(200);
    expect(errors).toEqual([]);
    expect(await shop.db.product.count()).toBe(0);
  });
});

test.each(CODECS)(
  'a form without a file is refused when it is compressed: %s',
  async (encoding, compress) => {
    const app = await start();
    const response = await importFile(app, compress(FORM), {
      encoding,
      type: 'multipart/form-data; boundary=x',
    });
    expect([response.status, response.body.code]).toEqual([400, 'unreadable_file']);
    await request(app).get('/health').expect(200);
    expect(errors).toEqual([]);
  },
);

test.each(CODECS)(
  'a file that is too large is refused when it is compressed: %s',
  async (encoding, compress) => {
    const app = await start({ IMPORT_MAX_BYTES: '20000' });
    const response = await importFile(app, compress(FILE), { encoding, query: 'dry_run=true' });
    expect([response.status, response.body.code]).toEqual([413, 'body_too_large']);
    await request(app).get('/health').expect(200);
    expect(errors).toEqual([]);
  },
);
