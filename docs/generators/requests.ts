/** One operation with the examples of the document, which can be sent unchanged. */
export interface ExampleRequest {
  operationId: string;
  tag: string;
  summary: string;
  description: string;
  method: string;
  /** With `{id}` placeholders. */
  path: string;
  /** Name of the variable that holds the service's address. */
  address: 'userUrl' | 'productUrl' | 'orderUrl';
  isPublic: boolean;
  parameters: { name: string; in: 'path' | 'query' | 'header'; description: string; example: string }[];
  body: { type: string; text: string } | undefined;
}

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  description: string;
  example?: unknown;
  schema: { examples?: unknown[]; enum?: unknown[] };
}

interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security?: unknown[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { example: unknown }> };
}

interface Document {
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
}

/** Addresses under `npm start`, and behind the gateway. */
export const ADDRESSES = {
  services: {
    userUrl: 'http://localhost:5001',
    productUrl: 'http://localhost:5002',
    orderUrl: 'http://localhost:5003',
  },
  gateway: {
    userUrl: 'http://localhost:5080',
    productUrl: 'http://localhost:5080',
    orderUrl: 'http://localhost:5080',
  },
};

const METHODS = new Set(['get', 'post', 'put', 'patch', 'delete']);

/** All operations of docs/openapi.json by tag, in its order. */
export function requestsByTag(json: string): Map<string, ExampleRequest[]> {
  const { tags, paths } = JSON.parse(json) as Document;
  const requests = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => METHODS.has(method))
      .map(([method, operation]) => toRequest(method, path, operation)),
  );
  return new Map(tags.map(({ name }) => [name, requests.filter(({ tag }) => tag === name)]));
}

function toRequest(method: string, path: string, operation: Operation): ExampleRequest {
  const { operationId, tags, summary, description = '', security, parameters = [], requestBody } = operation;
  const [content] = Object.entries(requestBody?.content ?? {});
  return {
    operationId,
    tag: tags[0] ?? '',
    summary,
    description,
    method,
    path,
    address: addressOf(path),
    isPublic: security?.length === 0,
    parameters: parameters.map(({ name, in: place, description: text, example, schema }) => ({
      name,
      in: place,
      description: text,
      example: String(example ?? schema.examples?.[0] ?? schema.enum?.[0] ?? ''),
    })),
    body: content && { type: content[0], text: textOf(content[1].example) },
  };
}

function addressOf(path: string): ExampleRequest['address'] {
  if (path.startsWith('/api/products')) return 'productUrl';
  return path.startsWith('/api/orders') ? 'orderUrl' : 'userUrl';
}

/** Refresh tokens are single-use, so an example of one would never work. */
function textOf(example: unknown): string {
  if (typeof example === 'string') return example.replaceAll('\r\n', '\n').trimEnd();
  return JSON.stringify(example, null, 2).replace(/("refresh_token": )".*"/, '$1"{{refreshToken}}"');
}
