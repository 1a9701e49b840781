import { spawnSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { Failure } from '../failure.ts';
import { say } from '../terminal.ts';

const NAME = 'postgres';

export type SystemUser = { uid: number; gid: number };

/**
 * PostgreSQL refuses to run as root. For root this returns the system user `postgres`, created if missing; other users run
 * it themselves (undefined).
 */
export function serverUser(): SystemUser | undefined {
  if (userInfo().uid !== 0) return undefined;
  const existing = lookUp();
  if (existing) return existing;
  say(`Creating the system user ${NAME}, as PostgreSQL does not run as root.`);
  const made = spawnSync('useradd', ['--system', '--user-group', '--no-create-home', NAME], {
    encoding: 'utf8',
  });
  const created = lookUp();
  if (created) return created;
  const reason = made.error?.message ?? made.stderr.trim();
  throw new Failure(
    `PostgreSQL does not run as root, and the system user ${NAME} cannot be created (${reason}). Run this as an ordinary user.`,
  );
}

function lookUp(): SystemUser | undefined {
  const [uid, gid] = ['-u', '-g'].map((flag) => {
    const { status, stdout } = spawnSync('id', [flag, NAME], { encoding: 'utf8' });
    return status === 0 ? Number(stdout.trim()) : undefined;
  });
  return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

/** Whether that user can reach a file or folder; below /root, for example, it cannot. */
export function canReach(path: string, user: SystemUser | undefined) {
  if (!user) return true;
  return spawnSync('/bin/sh', ['-c', 'test -x "$0"', path], { ...user, cwd: '/' }).status === 0;
}
