import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { z } from 'zod';
import { loadConfig } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'secret-files-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (content: string) => {
  const path = join(folder, `${Math.random()}`);
  writeFileSync(path, content);
  return path;
};
const schema = z.object({ SECRET: z.string().default('none') });
const forms = {
  plain: schema,
  refined: schema.refine(() => true),
  transformed: schema.transform((env) => env),
};

test.each(Object.entries(forms))('a file holds the value of a setting (%s schema)', (_form, it) => {
  expect(loadConfig(it, { SECRET_FILE: file('hunter2\n') })).toEqual({ SECRET: 'hunter2' });
});

test('an empty file counts as not set', () => {
  expect(loadConfig(schema, { SECRET_FILE: file('') })).toEqual({ SECRET: 'none' });
});

test('a variable that is no setting may end with _FILE', () => {
  expect(loadConfig(schema, { SSL_CERT_FILE: '/nowhere' })).toEqual({ SECRET: 'none' });
});

test('a file that cannot be read, and a value in both places, are refused without the value', () => {
  expect(() => loadConfig(schema, { SECRET_FILE: join(folder, 'nowhere') })).toThrow(
    'SECRET_FILE: cannot be read (ENOENT)',
  );
  const both = { SECRET: 'hunter2', SECRET_FILE: file('hunter3') };
  expect(() => loadConfig(schema, both)).toThrow('SECRET and SECRET_FILE are both set');
});
