import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readJson, writePrivateJson } from './json-file.ts';
import { DATA, SERVICES } from './shop.ts';

const FILE = join(DATA, 'secrets.json');

export interface Secrets {
  /** Of the superuser. */
  postgresPassword: string;
  rolePasswords: Record<string, string>;
  jwtSecretKey: string;
  serviceTokenSecret: string;
}

/** Creates the secrets once and stores them, so that tokens and data stay valid after a restart. */
export async function loadSecrets(): Promise<{ secrets: Secrets; isNewPassword: boolean }> {
  const kept = ((await readJson(FILE)) ?? {}) as Partial<Secrets>;
  const roles = SERVICES.flatMap(({ owner, role }) => [owner, role]);
  const rolePasswords = Object.fromEntries(
    roles.map((role) => [role, kept.rolePasswords?.[role] ?? newSecret()]),
  );
  const secrets = {
    postgresPassword: kept.postgresPassword ?? newSecret(),
    rolePasswords,
    jwtSecretKey: kept.jwtSecretKey ?? newSecret(),
    serviceTokenSecret: kept.serviceTokenSecret ?? newSecret(),
  };
  if (JSON.stringify(kept) !== JSON.stringify(secrets)) writePrivateJson(FILE, secrets);
  return { secrets, isNewPassword: kept.postgresPassword === undefined };
}

/** 48 random bytes in characters that need no quoting in a URL, a shell or SQL. */
export const newSecret = () => randomBytes(48).toString('base64url');
