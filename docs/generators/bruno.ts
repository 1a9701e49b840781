import { ADDRESSES, type ExampleRequest, requestsByTag } from './requests.ts';

const FOLDER = 'docs/bruno';
/** Operations whose response has tokens; the requests after them use these. */
const SIGN_IN = new Set(['login', 'registerUser', 'refreshTokens', 'changePassword']);

/** A collection for Bruno, with one environment for `npm start` and one for the gateway. */
export function brunoFiles(document: string): Record<string, string> {
  const files: Record<string, string> = {
    'bruno.json': `${JSON.stringify({ version: '1', name: 'Shop', type: 'collection' }, null, 2)}\n`,
    'collection.bru': blocks(
      block('auth', ['mode: bearer']),
      block('auth:bearer', ['token: {{accessToken}}']),
      block('docs', [
        'Written by `npm run docs`. Register or log in first: the other requests use the token.',
      ]),
    ),
    'environments/npm start.bru': environment(ADDRESSES.services),
    'environments/gateway.bru': environment(ADDRESSES.gateway),
  };
  for (const [tag, requests] of requestsByTag(document)) {
    files[`${tag}/folder.bru`] = blocks(block('meta', [`name: ${tag}`]), block('auth', ['mode: inherit']));
    for (const [index, request] of requests.entries())
      files[`${tag}/${request.operationId}.bru`] = requestFile(request, index + 1);
  }
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${FOLDER}/${name}`, text]));
}

function requestFile(request: ExampleRequest, seq: number): string {
  const { summary, description, method, address, isPublic, body, operationId } = request;
  const path = request.path.replaceAll(/\{(\w+)\}/g, ':$1');
  const kind = bodyKind(body?.type);
  return blocks(
    block('meta', [`name: ${summary}`, 'type: http', `seq: ${seq}`]),
    block(method, [`url: {{${address}}}${path}`, `body: ${kind}`, `auth: ${isPublic ? 'none' : 'inherit'}`]),
    block('params:query', valuesOf(request, 'query')),
    block('params:path', valuesOf(request, 'path')),
    block('headers', [
      ...(kind === 'text' ? [`Content-Type: ${body?.type}`] : []),
      ...valuesOf(request, 'header'),
    ]),
    block(`body:${kind}`, body?.text.split('\n') ?? []),
    block(
      'vars:post-response',
      SIGN_IN.has(operationId)
        ? ['accessToken: res.body.tokens.access_token', 'refreshToken: res.body.tokens.refresh_token']
        : [],
    ),
    block('docs', description === '' ? [] : description.split('\n')),
  );
}

const bodyKind = (type: string | undefined) =>
  type === undefined ? 'none' : type === 'application/json' ? 'json' : 'text';

/** Optional headers and parameters are disabled (`~`). Each order gets a new key. */
function valuesOf({ parameters, operationId }: ExampleRequest, place: 'path' | 'query' | 'header'): string[] {
  return parameters
    .filter((parameter) => parameter.in === place)
    .map(({ name, example }) => {
      if (name === 'Idempotency-Key' && operationId === 'placeOrder') return `${name}: {{$guid}}`;
      return `${place === 'path' ? '' : '~'}${name}: ${example}`.trimEnd();
    });
}

const environment = (values: Record<string, string>) =>
  blocks(
    block(
      'vars',
      Object.entries(values).map(([name, value]) => `${name}: ${value}`),
    ),
  );

/** Returns an empty text if there are no lines. */
function block(name: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return `${name} {\n${lines.map((line) => (line === '' ? '' : `  ${line}`)).join('\n')}\n}\n`;
}

const blocks = (...parts: string[]) => parts.filter((part) => part !== '').join('\n');
