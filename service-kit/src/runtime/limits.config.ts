import { z } from 'zod';
import type { Limit } from '../http/rate-limit.ts';

/**
 * `RATE_LIMIT_<NAME>=<count>/<seconds>` for each of a service's limits.
 * @param defaults by name in snake_case
 * @param descriptions of limits that do not count requests
 */
export function limitsConfig<Name extends string>(
  defaults: Record<Name, Limit>,
  descriptions: Partial<Record<Name, string>> = {},
) {
  const entries = Object.entries(defaults) as [Name, Limit][];
  const describe = ({ perAddress }: Limit) =>
    `Requests/seconds, ${perAddress ? 'per address' : 'per signed-in user, else per address'}`;
  const field = (name: Name, limit: Limit) =>
    z
      .string()
      .regex(/^[1-9]\d{0,8}\/[1-9]\d{0,5}$/, 'must be <count>/<seconds>, such as 5/60')
      .default(`${limit.max}/${limit.seconds}`)
      .describe(descriptions[name] ?? describe(limit));
  const shape = Object.fromEntries(
    entries.map(([name, limit]) => [`RATE_LIMIT_${name.toUpperCase()}`, field(name, limit)]),
  ) as Record<`RATE_LIMIT_${Uppercase<Name>}`, ReturnType<typeof field>>;
  const read = (env: Record<string, unknown>) =>
    Object.fromEntries(
      entries.map(([name, limit]) => {
        const [max, seconds] = String(env[`RATE_LIMIT_${name.toUpperCase()}`]).split('/').map(Number);
        return [name, { ...limit, max: max ?? 0, seconds: seconds ?? 0 }];
      }),
    ) as Record<Name, Limit>;
  return { shape, read };
}
