import type { Server } from 'node:http';
import type { Express } from 'express';
import request from 'supertest';
import { seller } from './product.factory.ts';

interface ImportOptions {
  type?: string;
  authorization?: string;
  isDryRun?: boolean;
  /** Further parameters. */
  query?: string;
  /** How the file is compressed. */
  encoding?: string;
}

/** Sends a file; a text is UTF-8. */
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
