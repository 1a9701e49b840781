import { isDeepStrictEqual } from 'node:util';
import { documentOf } from '@shop/service-kit/http/mount-routes';
import { serviceApps } from './service-apps.ts';

type Json = Record<string, unknown>;

interface Document extends Json {
  tags: Json[];
  paths: Json;
  components: Record<string, Json>;
}

const GATEWAY = { url: '/', description: 'The gateway, in production', 'x-internal': false };
const PORTS = { user: 5001, product: 5002, order: 5003 };

/** The API of all three services as one OpenAPI document: `docs/openapi.json`. */
export function openApiFile(): string {
  return `${JSON.stringify(shopDocument(), null, 2)}\n`;
}

function shopDocument(): Document {
  const apps = Object.entries(serviceApps());
  const documents = apps.map(([name, app]) => [name, documentOf(app) as Document] as const);
  const merged: Document = {
    openapi: '3.1.0',
    info: {
      title: 'Shop',
      version: '1.0.0',
      description:
        'Users, products and orders of a shop. Behind the gateway all paths are at one address; with `npm start` each service has its own, which the servers of a path name.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [GATEWAY],
    tags: documents.flatMap(([, { tags }]) => tags),
    paths: {},
    components: {},
  };
  for (const [name, { paths, components }] of documents) {
    const url = `http://localhost:${PORTS[name as keyof typeof PORTS]}`;
    for (const [path, item] of Object.entries(paths)) {
      const servers = [
        GATEWAY,
        { url, description: `${name}-service with npm start, locally`, 'x-internal': false },
      ];
      merged.paths[path] = { ...(item as Json), servers };
    }
    for (const [kind, parts] of Object.entries(components)) {
      merged.components[kind] ??= {};
      mergeInto(merged.components[kind], parts, kind);
    }
  }
  return merged;
}

/** @throws Error if two services define the same name differently */
function mergeInto(target: Json, parts: Json, kind: string): void {
  for (const [name, part] of Object.entries(parts)) {
    const known = target[name];
    if (known === undefined || isDeepStrictEqual(known, part)) target[name] = part;
    else if (kind === 'schemas' && name === 'Problem') target[name] = mergeProblems(known, part);
    else if (kind === 'schemas' && name.endsWith('Problem'))
      target[name] = mergeOneCode(known as CodeSchema, part as CodeSchema);
    else if (kind === 'responses') target[name] = mergeResponses(known as Response, part as Response);
    else throw new Error(`Two services have different ${kind} named ${name}`);
  }
}

interface ProblemSchema extends Json {
  properties: Json & { code: { enum: string[] } };
}

/** Merges the codes and members of both. */
function mergeProblems(a: unknown, b: unknown): Json {
  const [one, other] = [a as ProblemSchema, b as ProblemSchema];
  const codes = [...new Set([...one.properties.code.enum, ...other.properties.code.enum])].toSorted();
  const properties = { ...other.properties, ...one.properties };
  for (const [name, property] of Object.entries(other.properties)) {
    const known = one.properties[name];
    // If a service extends a common member, its schema is the wider one.
    if (isChoice(property) && !isChoice(known)) properties[name] = property;
  }
  return { ...one, properties: { ...properties, code: { ...one.properties.code, enum: codes } } };
}

interface CodeSchema extends Json {
  allOf: [Json, Json & { properties: Json; required: string[] }];
}

/** The failure of one code: a member that only one service sends is optional. */
function mergeOneCode(one: CodeSchema, other: CodeSchema): Json {
  const [base, own] = one.allOf;
  const [, others] = other.allOf;
  const properties = { ...others.properties, ...own.properties };
  const required = own.required.filter((name) => others.required.includes(name));
  return { ...one, allOf: [base, { ...own, properties, required }] };
}

const isChoice = (schema: unknown) => typeof schema === 'object' && schema !== null && 'anyOf' in schema;

interface Response extends Json {
  content: Record<string, Json>;
}

/** Whether two responses differ in their examples only. */
function mergeResponses(one: Response, other: Response): Json {
  const withoutExamples = ({ content, ...rest }: Response) => ({
    ...rest,
    content: Object.fromEntries(
      Object.entries(content).map(([type, { examples: _, ...media }]) => [type, media]),
    ),
    headers: Object.keys(rest['headers'] as Json).filter((name) => name !== 'Retry-After'),
  });
  if (!isDeepStrictEqual(withoutExamples(one), withoutExamples(other)))
    throw new Error(`Two services describe ${String(one['description'])} in different ways`);
  return one;
}
