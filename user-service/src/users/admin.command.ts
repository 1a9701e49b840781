import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { bigintTimeCursor, toWindow } from '@shop/service-kit/http/paging';
import type { Query } from '@shop/service-kit/postgres/query';
import type { ChangeAccounts } from '../accounts/account.changer.ts';
import { createAuditRepository } from '../audit/audit.repository.ts';
import { createCredentialRepository } from '../credentials/credential.repository.ts';
import type { PasswordHasher } from '../credentials/password.hasher.ts';
import type { Account } from '../identity/account.ts';
import { email as emailField, username as usernameField } from '../identity/identity.fields.ts';
import { identityKey } from '../identity/identity.ts';
import { createSessionRepository } from '../sessions/session.repository.ts';
import { createUserRepository } from './user.repository.ts';

interface AdminCommandOptions {
  query: Query;
  change: ChangeAccounts;
  hasher: PasswordHasher;
}

const SHOWN_EVENTS = 20;
export const ADMIN_HELP = `npm run admin -- <username or email>              make an existing user an admin
npm run admin -- --create <username> <email>      create an admin, with a password that is shown once
npm run admin -- --sessions <username or email>   where the user is signed in
npm run admin -- --audit <username or email>      the last ${SHOWN_EVENTS} events of the user in the audit trail`;
const DETAILS = { by: 'npm run admin' };

/** The command cannot be carried out; the message says why. */
export class AdminCommandFailed extends Error {}

/** @returns the result, as text for a terminal @throws AdminCommandFailed; UsernameTaken, EmailTaken */
export async function runAdminCommand(args: string[], options: AdminCommandOptions): Promise<string> {
  const { command, names } = commandOf(args);
  const [name = '', address] = names;
  if (command === 'create' && address !== undefined) return create(name, address, options);
  if (command === 'create' || name === '' || address !== undefined) throw usage();
  const credential = await createCredentialRepository(options.query).findByKey(identityKey(name));
  if (credential === undefined) throw new AdminCommandFailed(`There is no user "${name}".`);
  return COMMANDS[command](credential.account, options);
}

const COMMANDS = { promote, sessions: listSessions, audit: listEvents };
type Command = keyof typeof COMMANDS | 'create';

const usage = () => new AdminCommandFailed(`Usage:\n${ADMIN_HELP}`);

function commandOf(args: string[]): { command: Command; names: string[] } {
  const flag = { type: 'boolean' } as const;
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { create: flag, sessions: flag, audit: flag },
    });
    const [command = 'promote', ...others] = Object.keys(values) as Command[];
    if (others.length > 0 || positionals.length > 2) throw usage();
    return { command, names: positionals };
  } catch {
    throw usage();
  }
}

async function promote({ id, username }: Account, { change }: AdminCommandOptions) {
  const isNew = await change([id], async ({ query, record }) => {
    const users = createUserRepository(query);
    await users.lockAdmins();
    if ((await users.setRole(id, 'admin')) === undefined) return false;
    record({ event: 'role_changed', userId: id, origin: undefined, details: { role: 'admin', ...DETAILS } });
    return true;
  });
  return isNew
    ? `${username} (id ${id}) is now an admin; the next token refresh or login brings the role.`
    : `${username} (id ${id}) is already an admin.`;
}

async function create(name: string, address: string, { change, hasher }: AdminCommandOptions) {
  const [username, email] = [usernameField.safeParse(name), emailField.safeParse(address)];
  const wrong = [username, email].flatMap(({ error }) => error?.issues.map(({ message }) => message) ?? []);
  if (!username.success || !email.success) throw new AdminCommandFailed(`${wrong.join('. ')}.`);
  const password = randomBytes(15).toString('base64url');
  const user = { username: username.data, email: email.data, role: 'admin', emailVerified: true } as const;
  const passwordHash = await hasher.hash(password);
  const id = await change([], async ({ query, record }) => {
    const { id: userId } = await createUserRepository(query).create({ ...user, passwordHash });
    record({ event: 'registered', userId, origin: undefined, details: DETAILS });
    return userId;
  });
  return `${user.username} (id ${id}) was created as an admin. The password, shown this once: ${password}`;
}

async function listSessions({ id: userId, username }: Account, { query }: AdminCommandOptions) {
  const active = await createSessionRepository(query).listActive(userId);
  if (active.length === 0) return `${username} (id ${userId}) is not signed in anywhere.`;
  const rows = active.map(({ id, lastUsedAt, ip, userAgent }) => [lastUsedAt, ip, userAgent, id]);
  return linesOf(['last used', 'address', 'program', 'session'], rows);
}

async function listEvents({ id: userId, username }: Account, { query }: AdminCommandOptions) {
  const window = toWindow({ page: 1, per_page: SHOWN_EVENTS }, bigintTimeCursor);
  const filter = { user_id: userId, event: undefined, from: undefined, to: undefined };
  const events = await createAuditRepository(query).list(filter, window);
  if (events.length === 0) return `Nothing is recorded about ${username} (id ${userId}).`;
  const rows = events
    .slice(0, SHOWN_EVENTS)
    .map(({ createdAt, event, actorId, ip, details }) => [
      createdAt,
      event,
      actorId === null ? null : `by ${actorId}`,
      ip,
      Object.keys(details).length === 0 ? null : JSON.stringify(details),
    ]);
  return linesOf(['time', 'event', 'actor', 'address', 'details'], rows);
}

type Cell = string | Date | null;

/** Separated by tabs. What clients sent may not steer a terminal. */
function linesOf(head: string[], rows: Cell[][]): string {
  const toText = (cell: Cell) =>
    cell instanceof Date ? cell.toISOString() : (cell ?? '-').replaceAll(/\p{C}/gu, '?');
  return [head, ...rows].map((cells) => cells.map(toText).join('\t')).join('\n');
}
