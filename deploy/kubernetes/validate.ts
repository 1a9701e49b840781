import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseAllDocuments } from 'yaml';

const require = createRequire(import.meta.url);
/** One compiled schema a file; the package exports only classes, which copy what they check. */
const SCHEMAS = join(dirname(require.resolve('kubernetes-models')), '_schemas');

/**
 * Checks manifests against the schemas of Kubernetes, offline.
 * @param text YAML, one document for each object
 * @returns one line for each error, unknown fields included
 */
export function validateManifests(text: string): string[] {
  const objects = parseAllDocuments(text).map((document) => document.toJS());
  return objects.filter(Boolean).flatMap(problemsOf);
}

function problemsOf(object: { apiVersion: string; kind: string; metadata?: { name?: string } }) {
  const name = `${object.kind} ${object.metadata?.name}`;
  const validate = validatorOf(object);
  if (validate === undefined) return [`${name}: ${object.apiVersion} has no such kind`];
  const { observed, unread } = observe(object);
  const refused = validate(observed) ? [] : (validate.errors ?? []);
  return [
    ...refused.map(
      ({ instancePath, keyword, params }) => `${name}${instancePath}: ${keyword} ${JSON.stringify(params)}`,
    ),
    ...unread().map((path) => `${name}${path}: unknown field`),
  ];
}

type Refusal = { instancePath: string; keyword: string; params: object };

type Validator = ((data: unknown) => boolean) & { errors?: Refusal[] | null };

function validatorOf({ apiVersion, kind }: { apiVersion: string; kind: string }): Validator | undefined {
  const [group = '', version = ''] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion];
  const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
  const schema = `IoK8sApi${capital(group.split('.')[0] ?? '')}${capital(version)}${kind}.js`;
  return existsSync(join(SCHEMAS, schema)) ? require(join(SCHEMAS, schema)).validate : undefined;
}

/**
 * The schemas are compiled and let unknown fields pass. But a validator reads every field that it knows, so that what it
 * has never read is unknown.
 */
function observe(root: object) {
  const reports: (() => string[])[] = [];
  const wrap: <T>(value: T, path: string) => T = (value, path) => {
    if (typeof value !== 'object' || value === null) return value;
    const read = new Set();
    const children = new Map();
    reports.push(() => Object.keys(value).flatMap((key) => (read.has(key) ? [] : [`${path}/${key}`])));
    return new Proxy(value, {
      get(target, key) {
        read.add(key);
        if (!children.has(key)) children.set(key, wrap(Reflect.get(target, key), `${path}/${String(key)}`));
        return children.get(key);
      },
    });
  };
  return { observed: wrap(root, ''), unread: () => reports.flatMap((report) => report()) };
}
