import { readFile } from 'node:fs/promises';
import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

interface Schema {
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
}
interface Media {
  schema: Schema;
  example?: unknown;
  examples?: Record<string, { value: unknown }>;
}
interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  security: object[];
  parameters?: { name: string; description?: string }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { $ref?: string; content?: Record<string, Media> }>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, Schema>;
    responses: Record<string, { content: Record<string, Media> }>;
  };
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const document = JSON.parse(
  await readFile(new URL('../docs/openapi.json', import.meta.url), 'utf8'),
) as Document;
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item)
    .filter(([method]) => METHODS.includes(method))
    .map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
);

const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addFormat('idn-email', /@/);
ajv.addSchema(document, 'api');

/** Violations of a schema by an example. */
function misfits({ schema, example, examples = {} }: Media): unknown[] {
  const values = [
    ...(example === undefined ? [] : [example]),
    ...Object.values(examples).map(({ value }) => value),
  ];
  const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"api#/')) as object;
  const validate = ajv.compile(absolute);
  return values.flatMap((value) => (validate(value) ? [] : [{ value, errors: validate.errors }]));
}

describe('the API document of all services', () => {
  test('has a unique operationId of verb and noun for each operation', () => {
    const names = operations.map(([, { operationId }]) => operationId);
    expect(operations.length).toBeGreaterThan(35);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z]+([A-Z][a-z]+)*$/);
  });

  test.each(operations)('%s is described', (_name, operation) => {
    expect(operation.tags).toHaveLength(1);
    expect(operation.summary).toMatch(/^[A-Z].{5,}[^.]$/);
    for (const { name, description } of operation.parameters ?? [])
      expect([name, description]).toEqual([name, expect.stringMatching(/.{3,}/)]);
    const isPublic = operation.security.length === 0;
    expect(operation.responses['401'] === undefined).toBe(isPublic && !SIGN_IN.has(operation.operationId));
  });

  /** Public operations that return 401 for wrong credentials. */
  const SIGN_IN = new Set(['login', 'refreshTokens']);

  test.each(operations)('%s has valid examples', (_name, { requestBody, responses }) => {
    const bodies = [requestBody ?? {}, ...Object.values(responses)] as { content?: Record<string, Media> }[];
    for (const { content = {} } of bodies) {
      for (const [type, media] of Object.entries(content)) {
        expect([type, misfits(media)]).toEqual([type, []]);
        expect([type, media.example ?? Object.keys(media.examples ?? {})[0]]).not.toEqual([type, undefined]);
      }
    }
  });

  test.each(Object.entries(document.components.responses))(
    'error response %s has valid examples',
    (_name, { content }) => {
      for (const media of Object.values(content)) expect(misfits(media)).toEqual([]);
    },
  );

  test('describes every schema and property', () => {
    const { schemas } = document.components;
    const undescribed = Object.entries(schemas)
      .filter(([name, schema]) => !name.endsWith('Problem') && schema.description === undefined)
      .map(([name]) => name);
    const inline = operations.flatMap(([name, { requestBody, responses }]) =>
      [requestBody ?? {}, ...Object.values(responses)].flatMap(({ content = {} }: { content?: Content }) =>
        Object.values(content).map(({ schema }) => [name, schema] as const),
      ),
    );
    const properties = [...Object.entries(schemas), ...inline].flatMap(([name, schema]) =>
      undescribedIn(name, schema),
    );
    expect([undescribed, properties]).toEqual([[], []]);
  });
});

type Content = Record<string, Media>;

/** Properties without a description at any depth, except references and constants. */
function undescribedIn(path: string, { properties = {}, items, ...rest }: Schema): string[] {
  const own = Object.entries(properties)
    .filter(([, { description, ...schema }]) => !description && !('$ref' in schema) && !('const' in schema))
    .map(([name]) => `${path}.${name}`);
  const parts = [
    ...(rest.anyOf ?? []),
    ...(rest.oneOf ?? []),
    ...(rest.allOf ?? []),
    ...(items ? [items] : []),
  ];
  return [
    ...own,
    ...Object.entries(properties).flatMap(([name, schema]) => undescribedIn(`${path}.${name}`, schema)),
    ...parts.flatMap((part) => undescribedIn(path, part)),
  ];
}
