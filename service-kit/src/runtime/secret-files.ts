import { readFileSync } from 'node:fs';

/**
 * The environment, where `NAME_FILE` may stand in for `NAME`: it names a file with the value, such as Docker and
 * Kubernetes mount secrets. White space at its end does not count.
 * @param names of the settings; other variables that end with `_FILE` are left alone
 * @throws Error naming the variable when the file cannot be read, or when both are set
 */
export function readSecretFiles(env: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  const files = names.filter((name) => env[`${name}_FILE`]);
  return { ...env, ...Object.fromEntries(files.map((name) => [name, readSecret(env, name)])) };
}

function readSecret(env: NodeJS.ProcessEnv, name: string): string {
  const variable = `${name}_FILE`;
  if (env[name]) throw new Error(`${name} and ${variable} are both set`);
  try {
    return readFileSync(env[variable] ?? '', 'utf8').trimEnd();
  } catch (error) {
    throw new Error(`${variable}: cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
