import { errorCode, Failure } from '../lib/failure.js';
import { withConnection } from '../lib/postgres/sql.js';
import { currentRun } from '../lib/start/run-file.js';
import { say } from '../lib/terminal.js';

const HELP = 'npm run admin -- <username>   make an existing user an admin';

/** @param {string[]} args */
export async function main(args) {
  const [username, ...rest] = args;
  if (username === '--help') {
    say(HELP);
    return 0;
  }
  if (!username || rest.length > 0 || username.startsWith('-')) throw new Failure(`Usage: ${HELP}`);
  say(await promote(await databaseUrl(), username));
  return 0;
}

/** USER_DATABASE_URL, else the database of the shop that runs from this folder. */
async function databaseUrl() {
  if (process.env.USER_DATABASE_URL) return process.env.USER_DATABASE_URL;
  const run = await currentRun();
  const url = run?.databases['user-service'];
  if (!url)
    throw new Failure('The shop is not running here: start it with npm start, or set USER_DATABASE_URL.');
  return url;
}

/**
 * @param {string} url
 * @param {string} username
 * @returns {Promise<string>} what has changed
 */
async function promote(url, username) {
  try {
    return await withConnection(url, async (client) => {
      const columns = await columnsOfUsers(client);
      const user = await findUser(client, username, columns.has('username_key'));
      if (!user) throw new Failure(`There is no user "${username}".`);
      if (user.role === 'admin') return `${user.username} (id ${user.id}) is an admin already.`;
      const touch = columns.has('updated_at') ? ', updated_at = now()' : '';
      await client.query(
        `WITH promoted AS (UPDATE users SET role = 'admin'${touch} WHERE id = $1 RETURNING id)
         INSERT INTO security_events (event, user_id, details)
         SELECT 'role_changed', id, '{"role": "admin", "by": "npm run admin"}' FROM promoted`,
        [user.id],
      );
      return `${user.username} (id ${user.id}) was ${user.role} and is an admin now, from the next sign-in on.`;
    });
  } catch (error) {
    if (error instanceof Failure) throw error;
    const reason = error instanceof Error ? error.message || errorCode(error) : String(error);
    throw new Failure(`The user database cannot be used: ${reason}`);
  }
}

/** @param {import('pg').Client} client */
async function columnsOfUsers(client) {
  const { rows } = await client.query(
    "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = 'users'",
  );
  if (rows.length === 0) throw new Failure('The database has no users table yet: start the shop once.');
  return new Set(rows.map((row) => String(row.column_name)));
}

/**
 * @param {import('pg').Client} client
 * @param {string} username in any spelling that counts as the same
 * @param {boolean} hasKey whether the table keeps that one spelling in a column
 * @returns {Promise<{ id: number, username: string, role: string } | undefined>}
 */
async function findUser(client, username, hasKey) {
  const condition = hasKey ? 'username_key = $1' : 'lower(username) = $1';
  const key = username.normalize('NFKC').toLowerCase();
  const { rows } = await client.query(`SELECT id, username, role FROM users WHERE ${condition}`, [key]);
  return rows[0];
}
