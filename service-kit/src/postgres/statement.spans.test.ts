import { expect, test } from '@jest/globals';
import { nameOfStatement } from './statement.spans.ts';

test.each([
  ['SELECT id FROM "public"."products" WHERE id = $1', 'SELECT products'],
  ['WITH w AS (SELECT 1) INSERT INTO orders (id) SELECT 1 FROM w', 'INSERT orders'],
  ['SELECT 1 FROM a FOR UPDATE SKIP LOCKED', 'SELECT a'],
  ['INSERT INTO a (b) VALUES (1) ON CONFLICT DO UPDATE SET b = 2', 'INSERT a'],
  ['  update only_this SET b = 1', 'UPDATE only_this'],
  ['DELETE FROM a USING b', 'DELETE a'],
  ['BEGIN', 'BEGIN'],
  ['SELECT 1', 'SELECT'],
])('the statement %s is named %s', (text, name) => expect(nameOfStatement(text)).toBe(name));
