import type { Server } from 'node:http';
import type { Express } from 'express';
import request from 'supertest';
import { seller } from './product.factory.ts';
import type { TestShop } from './test-shop.ts';

interface ImportOptions {
  type?: string;
  authorization?: string;
  isDryRun?: boolean;
  /** Further query parameters. */
  query?: string;
  /** Content-Encoding of the file, which must already be compressed. */
  encoding?: string;
}

/** Imports a file; a string is sent as UTF-8. */
export function importFile(
  app: Express | Server,
  file: string | Buffer,
  {
    type = 'text/csv',
    authorization = seller(),
    isDryRun = false,
    query = '',
    encoding = 'identity',
  }: ImportOptions = {},
) {
  return request(app)
    .post(`/api/products/import?${isDryRun ? `dry_run=true&${query}` : query}`)
    .set('Authorization', authorization)
    .set('Content-Type', type)
    .set('Content-Encoding', encoding)
    .send(file);
}

export function exportFile(app: Express, query = 'format=csv', authorization = seller()) {
  return request(app)
    .get(`/api/products/export?${query}`)
    .set('Authorization', authorization)
    .buffer(true)
    .parse((response, done) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => done(null, Buffer.concat(chunks).toString()));
    });
}

/** The products in the database, in id order. */
export const storedProducts = ({ db }: TestShop) =>
  db.$queryRaw<Record<string, unknown>[]>`
    SELECT sku, name, coalesce(description, '') AS description, price_minor::int, stock, category, image_url FROM products ORDER BY id`;
