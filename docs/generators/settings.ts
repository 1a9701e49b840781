import { orderConfigSchema } from '../../order-service/src/config.ts';
import { productConfigSchema } from '../../product-service/src/config.ts';
import { userConfigSchema } from '../../user-service/src/config.ts';

const SERVICES = {
  user: userConfigSchema,
  product: productConfigSchema,
  order: orderConfigSchema,
};
/** Shown for a variable without a default. */
const NO_DEFAULT = '–';

interface Setting {
  name: string;
  default: string;
  description: string;
  services: string[];
}

/** The variables of all services as a table: `docs/configuration.md`. */
export function settingsPage(): string {
  const rows = settings().map(
    ({ name, services, default: value, description }) =>
      `| \`${name}\` | ${services.length === 3 ? 'all' : services.join(', ')} | ${value} | ${description} |`,
  );
  return [
    '# Settings',
    '',
    'Environment variables of the services. A variable that is set to an empty text counts as not set. `npm start` and',
    '`docker-compose.yml` set those without a default; [.env.example](../.env.example) has them for compose. Instead of each',
    'variable, `NAME_FILE` may name a file that holds its value, such as a mounted secret.',
    '',
    'Migrations read `DATABASE_URL`, `DATABASE_DIRECT_URL`, `DATABASE_PREPARED` and `DATABASE_SERVICE_ROLE`: the role that the',
    'service connects as, if it is not the owner of its tables ([operations](operations.md#roles-of-a-database)).',
    '',
    '| Variable | Service | Default | |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** The variables that each service reads, by the name of the service. */
export const settingNames = (): Record<string, string[]> =>
  Object.fromEntries(
    Object.entries(SERVICES).map(([service, schema]) => [
      `${service}-service`,
      settingsOf(schema).map(({ name }) => name),
    ]),
  );

/** One row per variable and meaning; `PORT` has three defaults and so three rows. */
function settings(): Setting[] {
  const found = new Map<string, Setting>();
  for (const [service, schema] of Object.entries(SERVICES)) {
    for (const setting of settingsOf(schema)) {
      const key = JSON.stringify([setting.name, setting.default, setting.description]);
      const known = found.get(key);
      if (known === undefined) found.set(key, { ...setting, services: [service] });
      else known.services.push(service);
    }
  }
  return [...found.values()].sort(
    (a, b) => b.services.length - a.services.length || (a.name < b.name ? -1 : 1),
  );
}

type Schema = (typeof SERVICES)[keyof typeof SERVICES];

function settingsOf(schema: Schema): Omit<Setting, 'services'>[] {
  const json = schema.toJSONSchema({ io: 'input', unrepresentable: 'any' });
  return Object.entries(json.properties ?? {}).map(([name, property]) => {
    const { description = '', default: value } = property as { description?: string; default?: unknown };
    if (description === '') throw new Error(`${name} has no description`);
    const shown =
      value === undefined || (Array.isArray(value) && value.length === 0) ? NO_DEFAULT : `\`${value}\``;
    return { name, default: shown, description: description.replaceAll('|', '\\|') };
  });
}
