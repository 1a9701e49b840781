interface Schema {
  $ref?: string;
  type?: string | string[];
  items?: Schema;
  properties?: Record<string, Schema>;
}

interface Operation {
  operationId: string;
  summary: string;
  security?: unknown[];
  parameters?: { in?: string; name?: string; $ref?: string }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

export interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema>; parameters?: Record<string, { in: string; name: string }> };
}

/** What the client calls each operation. Files are left out: src/files.ts imports and exports them. */
const NAMES = {
  session: {
    register: 'registerUser',
    login: 'login',
    logout: 'logout',
    logoutAll: 'logoutEverywhere',
    refresh: 'refreshTokens',
    me: 'getMe',
    changePassword: 'changePassword',
    list: 'listMySessions',
    revoke: 'revokeMySession',
    requestPasswordReset: 'requestPasswordReset',
    resetPassword: 'resetPassword',
    verifyEmail: 'verifyEmail',
    requestEmailVerification: 'requestEmailVerification',
    publicKeys: 'getPublicKeys',
  },
  users: {
    list: 'listUsers',
    get: 'getUser',
    update: 'updateUser',
    delete: 'deleteUser',
    setRole: 'setUserRole',
    sessions: 'listUserSessions',
    revokeSessions: 'revokeUserSessions',
    audit: 'listAuditEvents',
  },
  products: {
    list: 'listProducts',
    get: 'getProduct',
    create: 'createProduct',
    update: 'replaceProduct',
    patch: 'updateProduct',
    delete: 'deleteProduct',
    adjustStock: 'adjustStock',
    stockMovements: 'listStockMovements',
    categories: 'listCategories',
  },
  orders: {
    place: 'placeOrder',
    quote: 'quoteOrder',
    list: 'listOrders',
    get: 'getOrder',
    history: 'getOrderHistory',
    stats: 'getOrderStats',
    setStatus: 'setOrderStatus',
    cancel: 'cancelOrder',
  },
} as const;

/** Iterators over all pages of a list. */
const EVERY: Record<string, string> = {
  listUsers: 'all',
  listAuditEvents: 'auditAll',
  listProducts: 'all',
  listStockMovements: 'allStockMovements',
  listOrders: 'all',
};
/** POST requests that may be sent again: a quote holds nothing, a refresh is forgiven for ten seconds. */
const REPEATABLE = ['quoteOrder', 'refreshTokens'];

/** The source of a module with the methods of each group, as functions of the typed calls. */
export function methodsOf(document: Document): string {
  const groups = Object.entries(NAMES).map(([group, names]) => {
    const methods = Object.entries(names).map(([name, id]) => methodOf(document, name, id));
    return `export const ${group}Methods = ({ send, take }: Calls) => ({\n${methods.join('')}});\n`;
  });
  const types = 'Body, CallOptions, ChangeOptions, Filter, PlaceOptions, Query, ReadOptions, Schemas';
  return [
    "import type { Calls } from './calls.ts';\n",
    "import { everyRow } from './paging.ts';\n",
    `import type { ${types} } from './types.ts';\n\n`,
    groups.join('\n'),
  ].join('');
}

function methodOf(document: Document, name: string, id: string): string {
  const { path, method, operation } = operationOf(document, id);
  const takes = takenBy(document, operation);
  const body = bodyOf(document, operation);
  const { key, type } = returnedBy(operation);
  const ids = takes.id ? [path.includes('/sessions/') ? 'id: string' : 'id: number'] : [];
  const target = [...(takes.id ? ['id'] : []), ...(operation.security?.length === 0 ? ['isOpen: true'] : [])];
  const init = [
    ...target,
    ...(takes.query ? ['query'] : []),
    ...(body === undefined ? [] : [body.sent]),
    ...(takes.key ? ['isKeyed: true'] : []),
    ...(takes.key || REPEATABLE.includes(id) ? ['isRepeatable: true'] : []),
  ];
  const given = [
    ...ids,
    ...(takes.query ? [`query?: Query<'${id}'>`] : []),
    ...(body === undefined ? [] : [`${body.name}: ${body.type}`]),
    `options?: ${optionsOf(takes, type)}`,
  ];
  const promise = type === undefined ? '' : `: Promise<${type}>`;
  const call = (sent: string[]) =>
    `${key === undefined ? 'send' : 'take'}('${method}', '${path}', ${key === undefined ? '' : `'${key}', `}${
      sent.length === 0 ? '{}' : `{ ${sent.join(', ')} }`
    }, options)`;
  const one = `  /** ${operation.summary}. */\n  ${name}: (${given.join(', ')})${promise} =>\n    ${call(init)},\n`;
  if (EVERY[id] === undefined) return one;
  return `${one}  /** Every row of all its pages. */
  ${EVERY[id]}: (${[...ids, `query?: Filter<'${id}'>`, 'options?: CallOptions'].join(', ')}) =>
    everyRow(
      (at) => ${call([...target, 'query: { ...at, ...query }'])},
      (page) => page.${rowsOf(document, operation)},
    ),\n`;
}

/** Which parameters an operation has. */
function takenBy({ components }: Document, { parameters = [] }: Operation) {
  const all = parameters.map(({ $ref, ...own }) =>
    $ref === undefined ? own : components.parameters?.[lastOf($ref)],
  );
  const has = (place: string, name?: string) =>
    all.some((one) => one?.in === place && (name === undefined || one.name === name));
  return {
    id: has('path'),
    query: has('query'),
    key: has('header', 'Idempotency-Key'),
    ifMatch: has('header', 'If-Match'),
    ifNoneMatch: has('header', 'If-None-Match'),
  };
}

function optionsOf(takes: ReturnType<typeof takenBy>, type: string | undefined): string {
  if (takes.ifNoneMatch) return `ReadOptions<${type}>`;
  if (takes.ifMatch) return 'ChangeOptions';
  return takes.key ? 'PlaceOptions' : 'CallOptions';
}

/** @throws where the document has no such operation */
function operationOf({ paths }: Document, id: string) {
  for (const [path, item] of Object.entries(paths))
    for (const [method, operation] of Object.entries(item))
      if (operation.operationId === id) return { path, method, operation };
  throw new Error(`docs/openapi.json has no operation ${id}`);
}

const lastOf = ($ref: string) => $ref.slice($ref.lastIndexOf('/') + 1);
const resolved = ({ components }: Document, schema: Schema | undefined) =>
  schema?.$ref === undefined ? schema : components.schemas[lastOf(schema.$ref)];
const jsonOf = (content: Record<string, { schema: Schema }> | undefined) =>
  content?.['application/json']?.schema;
const goodOf = ({ responses }: Operation) =>
  jsonOf(Object.entries(responses).find(([status]) => status.startsWith('2'))?.[1].content);

/** A body of one property is that property: `setStatus(7, 'shipped')`. */
function bodyOf(document: Document, { operationId, requestBody }: Operation) {
  const json = jsonOf(requestBody?.content);
  const schema = resolved(document, json);
  if (json === undefined || schema === undefined) return undefined;
  const type = typeOf(json) ?? `Body<'${operationId}'>`;
  const [only = '', ...others] = Object.keys(schema.properties ?? {});
  if (only === '' || others.length > 0) return { name: 'body', type, sent: 'body' };
  return { name: only, type: `${type}['${only}']`, sent: `body: { ${only} }` };
}

/** What a method returns of a body: the body itself, or its only member besides `message`. */
function returnedBy(operation: Operation): { key?: string; type?: string } {
  const schema = goodOf(operation);
  if (schema?.$ref !== undefined) return { type: typeOf(schema) ?? '' };
  const properties = Object.entries(schema?.properties ?? {});
  const [first, ...others] = properties.filter(([name]) => name !== 'message');
  if (properties.length === 0 || others.length > 0) return {};
  const [key, of] = first ?? ['message', { type: 'string' }];
  const type = typeOf(of);
  return { key, ...(type === undefined ? {} : { type }) };
}

function typeOf({ $ref, type, items }: Schema): string | undefined {
  if ($ref !== undefined) return `Schemas['${lastOf($ref)}']`;
  if (type === 'string') return 'string';
  return type === 'array' && items?.$ref !== undefined ? `Schemas['${lastOf(items.$ref)}'][]` : undefined;
}

/** The list of a page. */
function rowsOf(document: Document, operation: Operation): string {
  const { properties = {} } = resolved(document, goodOf(operation)) ?? {};
  return Object.entries(properties).find(([, { type }]) => type === 'array')?.[0] ?? '';
}
