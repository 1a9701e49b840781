import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { archiveCommand } from './drills/postgres.archive.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shop-archive-'));
  for (const name of ['wal', 'bin']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'segment'), 'the whole segment');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs the command as Postgres does. @returns whether it succeeded */
async function archive(): Promise<boolean> {
  const command = (await archiveCommand('wal')).replaceAll('%p', 'segment').replaceAll('%f', '0001');
  const env = { PATH: `${join(folder, 'bin')}:${process.env['PATH']}` };
  return new Promise((resolve) => {
    execFile('sh', ['-c', command], { cwd: folder, env }, (error) => resolve(error === null));
  });
}
const archived = () => readFile(join(folder, 'wal', '0001'), 'utf8');

test('a copy that broke off is made again', async () => {
  const cp = join(folder, 'bin', 'cp');
  await writeFile(cp, '#!/bin/sh\nprintf half >"$2"\nexit 1\n');
  await chmod(cp, 0o755);
  expect(await archive()).toBe(false);
  await rm(cp);
  expect(await archive()).toBe(true);
  expect(await archived()).toBe('the whole segment');
});

test('a segment may be archived twice, and another one does not replace it', async () => {
  expect(await archive()).toBe(true);
  expect(await archive()).toBe(true);
  await writeFile(join(folder, 'segment'), 'of another server');
  expect(await archive()).toBe(false);
  expect(await archived()).toBe('the whole segment');
});
