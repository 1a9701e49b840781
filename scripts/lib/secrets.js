import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readJson, writePrivateJson } from './json-file.js';
import { DATA, SERVICES } from './shop.js';

const FILE = join(DATA, 'secrets.json');

/**
 * @typedef {object} Secrets
 * @property {string} postgresPassword of the superuser
 * @property {Record<string, string>} rolePasswords
 * @property {string} jwtSecretKey
 * @property {string} serviceTokenSecret
 */

/**
 * Creates the secrets once and stores them, so that tokens and data stay valid after a restart.
 * @returns {Promise<Secrets>}
 */
export async function loadSecrets() {
  const kept = /** @type {Partial<Secrets>} */ ((await readJson(FILE)) ?? {});
  const rolePasswords = Object.fromEntries(
    SERVICES.flatMap(({ owner, role }) => [owner, role]).map((role) => [
      role,
      kept.rolePasswords?.[role] ?? newSecret(),
    ]),
  );
  const secrets = {
    postgresPassword: kept.postgresPassword ?? newSecret(),
    rolePasswords,
    jwtSecretKey: kept.jwtSecretKey ?? newSecret(),
    serviceTokenSecret: kept.serviceTokenSecret ?? newSecret(),
  };
  if (JSON.stringify(kept) !== JSON.stringify(secrets)) writePrivateJson(FILE, secrets);
  return secrets;
}

/** 48 random bytes in characters that need no quoting in a URL, a shell or SQL. */
export function newSecret() {
  return randomBytes(48).toString('base64url');
}
