import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { blocksOf, entriesOf } from './support/bru-file.ts';
import { type HttpRequest, requestsOf } from './support/http-file.ts';

const DOCS = join(import.meta.dirname, '..', 'docs');
const FOLDER = join(DOCS, 'bruno');
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const TYPES: Record<string, string> = { json: 'application/json' };

const read = async (...path: string[]) => blocksOf(await readFile(join(FOLDER, ...path), 'utf8'));

/** The requests by name: the other files are of the collection, its folders and environments. */
async function requests(): Promise<[string, Record<string, string[]>][]> {
  const files = await readdir(FOLDER, { recursive: true });
  const ofRequests = files.filter(
    (file) => file.endsWith('.bru') && !/(collection|folder)\.bru$|^environments/.test(file),
  );
  return Promise.all(
    ofRequests.map(async (file): Promise<[string, Record<string, string[]>]> => {
      const blocks = await read(file);
      return [basename(file, '.bru'), blocks];
    }),
  );
}

/** What Bruno sends, in the form of a `.http` file. @param token of the collection */
function sentBy(name: string, blocks: Record<string, string[]>, token: string): HttpRequest {
  const method = METHODS.find((one) => one in blocks) ?? '';
  const { url = '', body = '', auth } = Object.fromEntries(entriesOf(blocks[method]));
  const query = entriesOf(blocks['params:query']).map((entry) => entry.join('='));
  const path = entriesOf(blocks['params:path']).reduce(
    (address, [parameter, value]) => address.replace(`:${parameter}`, value),
    url,
  );
  const type = TYPES[body];
  return {
    name,
    method: method.toUpperCase(),
    url: query.length === 0 ? path : `${path}?${query.join('&')}`,
    headers: {
      ...(auth === 'inherit' && { Authorization: `Bearer ${token}` }),
      ...(type !== undefined && { 'Content-Type': type }),
      ...Object.fromEntries(entriesOf(blocks['headers'])),
    },
    body: blocks[`body:${body}`]?.join('\n') ?? '',
  };
}

const byName = (one: HttpRequest, other: HttpRequest) => (one.name < other.name ? -1 : 1);

test('the Bruno collection sends the requests of docs/http', async () => {
  const collection = await read('collection.bru');
  expect(collection['auth']).toEqual(['mode: bearer']);
  const [[, token] = ['', '']] = entriesOf(collection['auth:bearer']);
  const sent = (await requests()).map(([name, blocks]) => sentBy(name, blocks, token));
  const files = await readdir(join(DOCS, 'http'));
  const texts = await Promise.all(files.map((file) => readFile(join(DOCS, 'http', file), 'utf8')));
  const wanted = texts.flatMap((text) => requestsOf(text));
  // The login is in each file.
  const once = [...new Map(wanted.map((request) => [request.name, request])).values()];
  expect(sent.toSorted(byName)).toEqual(once.toSorted(byName));
});

test('the requests of the Bruno collection that sign in keep the tokens for the others', async () => {
  const keeping = (await requests()).filter(([, blocks]) => 'vars:post-response' in blocks);
  const tokens = ['access', 'refresh'].map((kind) => [`${kind}Token`, `res.body.tokens.${kind}_token`]);
  expect(
    Object.fromEntries(keeping.map(([name, blocks]) => [name, entriesOf(blocks['vars:post-response'])])),
  ).toEqual({ changePassword: tokens, login: tokens, refreshTokens: tokens, registerUser: tokens });
});

test('the environments of the Bruno collection have every address that its requests use', async () => {
  const used = (await requests()).flatMap(([, blocks]) => JSON.stringify(blocks).match(/(?<=\{\{)\w+Url/g));
  for (const file of await readdir(join(FOLDER, 'environments'))) {
    const names = entriesOf((await read('environments', file))['vars']).map(([name]) => name);
    expect(names.toSorted()).toEqual([...new Set(used)].toSorted());
  }
});
