import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Database, openDatabase } from '@shop/service-kit/postgres/open-database';
import { openSlowLink, type SlowLink, throughLink } from '@shop/service-kit/testing/slow-link';
import { createTestDatabase, type TestDatabase } from '@shop/service-kit/testing/test-database';
import { PrismaClient } from '../src/generated/prisma/client.ts';
import { logger } from './support/test-shop.ts';

let own: TestDatabase;
let link: SlowLink;
let opened: Database;
let db: PrismaClient;

beforeAll(async () => {
  own = await createTestDatabase({ name: 'user', prismaFolder: join(import.meta.dirname, '../prisma') });
  await own.run('CREATE TABLE entries (entry TEXT)');
  link = await openSlowLink(Number(new URL(own.url).port));
  opened = openDatabase(throughLink(own.url, link), 1, logger);
  db = new PrismaClient({ adapter: opened.adapter });
});
afterAll(async () => {
  await db.$disconnect();
  await opened.close();
  link.close();
  await own.drop();
});

test('a $transaction that failed by a timeout is not committed by the next one', async () => {
  const refused = db.$transaction(async (tx) => {
    await tx.$executeRaw`INSERT INTO entries VALUES ('refused')`;
    link.slowDown(3500);
    await tx.$executeRaw`INSERT INTO entries VALUES ('refused too')`;
  });
  await expect(refused).rejects.toThrow();
  link.slowDown(0);
  await db.$transaction((tx) => tx.$executeRaw`INSERT INTO entries VALUES ('next')`);
  expect(await db.$queryRaw`SELECT entry FROM entries`).toEqual([{ entry: 'next' }]);
});
