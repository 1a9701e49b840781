import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { INT32_MAX } from './fields.ts';

export type Json = Record<string, unknown>;
export type Schemas = ReturnType<typeof createSchemas>;

const PREFIX = '#/components/schemas/';

/**
 * JSON Schemas of zod schemas. Schemas with an `id` in their metadata become components of that name. Further metadata
 * keys: `nullable` for a field that accepts null although its schema, behind a preprocess step, does not show it; `example`
 * and `byDefault` instead of `examples` and `default`, which zod drops from transformed schemas; `hidden` for a header
 * that OpenAPI documents elsewhere.
 */
export function createSchemas() {
  const components = new Map<string, Json>();

  /** @throws Error if two different schemas have the same id */
  const add = (name: string, schema: Json): Json => {
    const known = components.get(name);
    if (known !== undefined && !isDeepStrictEqual(known, schema))
      throw new Error(`Two schemas of the API document are named ${name}`);
    components.set(name, schema);
    return { $ref: `${PREFIX}${name}` };
  };

  function of(schema: z.ZodType, io: 'input' | 'output'): Json {
    const { $schema: _, $defs = {}, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
    for (const [name, part] of Object.entries($defs)) add(name, tidy(part));
    const result = tidy(rest);
    const id = z.globalRegistry.get(schema)?.id;
    return id === undefined || '$ref' in result ? result : add(id, result);
  }

  function resolve(schema: Json): Json {
    const { $ref } = schema;
    return typeof $ref === 'string' ? (components.get($ref.slice(PREFIX.length)) ?? {}) : schema;
  }

  /** A valid value: from `examples` of the metadata, else the simplest. Omits optional fields without an example. */
  function example(given: Json): unknown {
    const schema = resolve(given);
    const { examples, allOf, properties, items } = schema as SchemaParts;
    if (examples !== undefined) return examples[0];
    const fixed = fixedValueOf(schema);
    if (fixed !== undefined) return fixed;
    const [choice] = (schema as SchemaParts).anyOf ?? (schema as SchemaParts).oneOf ?? [];
    if (choice !== undefined) return example(choice);
    if (allOf !== undefined) return Object.assign({}, ...allOf.map((part) => example(part)));
    if (properties !== undefined) return exampleObject(schema as SchemaParts);
    return items === undefined ? plainest(schema) : [example(items)];
  }

  function exampleObject({ properties = {}, required = [] }: SchemaParts): Json {
    const shown = Object.entries(properties).filter(
      ([name, property]) => required.includes(name) || hasExample(property),
    );
    return Object.fromEntries(shown.map(([name, property]) => [name, example(property)]));
  }

  const hasExample = (schema: Json): boolean =>
    'examples' in schema ||
    '$ref' in schema ||
    ((schema as SchemaParts).anyOf ?? []).some((part) => hasExample(part));

  function parameters(place: 'path' | 'query' | 'header', schema: z.ZodType | undefined): Json[] {
    if (schema === undefined) return [];
    const { properties = {}, required = [] } = resolve(of(schema, 'input')) as SchemaParts;
    return Object.entries(properties)
      .filter(([, property]) => property['hidden'] !== true)
      .map(([name, { description, ...property }]) => ({
        name: place === 'header' ? headerName(name) : name,
        in: place,
        required: place === 'path' || required.includes(name),
        ...(description === undefined ? {} : { description }),
        schema: property,
        ...(place === 'path' ? { example: example(property) } : {}),
      }));
  }

  return { of, add, resolve, example, parameters, components: () => Object.fromEntries(components) };
}

interface SchemaParts {
  examples?: unknown[];
  anyOf?: Json[];
  oneOf?: Json[];
  allOf?: Json[];
  properties?: Record<string, Json>;
  items?: Json;
  required?: string[];
}

/** `if-none-match` in its usual spelling. */
const headerName = (name: string) => name.replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());

const FORMATS: Record<string, string> = {
  'date-time': '2026-11-26T10:15:00.000Z',
  uuid: '5b0e0c3a-8c2f-4f0e-9a57-3d1f6c1f2b7a',
};

const fixedValueOf = (schema: Json): unknown =>
  schema['const'] ?? schema['default'] ?? (schema['enum'] as unknown[] | undefined)?.[0];

function plainest({ type, format, minimum }: Json): unknown {
  const [first] = [type].flat();
  if (first === 'string') return FORMATS[String(format)] ?? 'text';
  if (first === 'integer' || first === 'number') return Math.max(Number(minimum ?? 1), 1);
  if (first === 'boolean') return false;
  return first === 'array' ? [] : first === 'object' ? {} : null;
}

/** Lengths of texts with a fixed format. */
const LENGTHS: Record<string, number> = { 'date-time': 40, date: 10, uuid: 36 };

/** Translates our own metadata keys to JSON Schema, and references to those of the document's components. */
function tidy(given: unknown): Json {
  const { nullable, example, byDefault, id: _, propertyNames: __, ...rest } = given as Json;
  const result: Json = {};
  for (const [key, part] of Object.entries(rest)) if (part !== undefined) result[key] = tidyPart(key, part);
  if (example !== undefined) result['examples'] = [example];
  if (byDefault !== undefined) result['default'] = byDefault;
  const longest = LENGTHS[String(result['format'])];
  if (longest !== undefined) result['maxLength'] = longest;
  if (result['type'] === 'integer')
    result['format'] = Number(result['maximum'] ?? Number.POSITIVE_INFINITY) > INT32_MAX ? 'int64' : 'int32';
  return nullable === true ? withNull(result) : result;
}

function tidyPart(key: string, part: unknown): unknown {
  if (key === '$ref') return String(part).replace('#/$defs/', PREFIX);
  if (key === 'properties')
    return Object.fromEntries(Object.entries(part as Json).map(([name, property]) => [name, tidy(property)]));
  if (['anyOf', 'allOf', 'oneOf', 'prefixItems'].includes(key)) return (part as unknown[]).map(tidy);
  const isSchema = ['items', 'additionalProperties'].includes(key) && typeof part === 'object';
  return isSchema ? tidy(part) : part;
}

function withNull({ description, ...schema }: Json): Json {
  const about = description === undefined ? {} : { description };
  const { anyOf = [schema] } = schema as SchemaParts;
  const others = anyOf.filter(({ type }) => type !== 'null');
  const [only] = others;
  if (only === undefined || others.length > 1 || typeof only['type'] !== 'string' || 'enum' in only)
    return { ...about, anyOf: [...others, { type: 'null' }] };
  return { ...about, ...only, type: [only['type'], 'null'] };
}
