import { MOST_COUNTED, type Window } from '@shop/service-kit/http/paging';
import { isUniqueViolation } from '@shop/service-kit/postgres/database-errors';
import { type Query, sql } from '@shop/service-kit/postgres/query';
import { type Account, accountColumns, type Role } from '../identity/account.ts';
import { identityKey } from '../identity/identity.ts';
import { EmailTaken, UsernameTaken } from './user.errors.ts';

export interface NewUser {
  username: string;
  email: string;
  passwordHash: string;
  role?: Role;
  emailVerified?: boolean;
}

export interface UserFilter {
  /** Part of a name or address, in any spelling. */
  q: string | undefined;
  role: Role | undefined;
}

interface Changed {
  account: Account;
  /** Where the address is a new one: the one before. */
  formerEmail: string | undefined;
  isRenamed: boolean;
}

export function createUserRepository(query: Query) {
  return {
    /** Which of the two is taken already; `create` finds out as well, but only after the password was hashed. */
    async findTaken({ username, email }: { username: string; email: string }) {
      const [usernameKey, emailKey] = [identityKey(username), identityKey(email)];
      const rows = await query<{ usernameKey: string }[]>`
        SELECT username_key AS "usernameKey" FROM users WHERE username_key = ${usernameKey} OR email_key = ${emailKey}`;
      if (rows.some((row) => row.usernameKey === usernameKey)) return 'username';
      return rows.length > 0 ? 'email' : undefined;
    },

    /** @throws UsernameTaken, EmailTaken */
    async create(user: NewUser): Promise<Account> {
      const { username, email, passwordHash, role = 'customer', emailVerified = false } = user;
      const [created] = await query<[Account]>`
        INSERT INTO users (username, username_key, email, email_key, password_hash, role, email_verified)
        VALUES (${username}, ${identityKey(username)}, ${email}, ${identityKey(email)}, ${passwordHash}, ${role},
                ${emailVerified})
        RETURNING ${accountColumns}`.catch(refuseTaken);
      return created;
    },

    async find(id: number): Promise<Account | undefined> {
      const [account] = await query<Account[]>`SELECT ${accountColumns} FROM users WHERE id = ${id}`;
      return account;
    },

    /**
     * A new address is not verified; another spelling of the same address is not a new one.
     * @returns undefined when there is no such user
     * @throws UsernameTaken, EmailTaken
     */
    async change(
      id: number,
      changes: { username?: string | undefined; email?: string | undefined },
    ): Promise<Changed | undefined> {
      const [before] = await query<{ username: string; email: string; emailKey: string }[]>`
        SELECT username, email, email_key AS "emailKey" FROM users WHERE id = ${id} FOR NO KEY UPDATE`;
      if (before === undefined) return undefined;
      const { username = null, email = null } = changes;
      const [usernameKey, emailKey] = [username, email].map((name) =>
        name === null ? null : identityKey(name),
      );
      const hasMoved = emailKey !== null && emailKey !== before.emailKey;
      const [account] = await query<[Account]>`
        UPDATE users
           SET username = coalesce(${username}, username), username_key = coalesce(${usernameKey}, username_key),
               email = coalesce(${email}, email), email_key = coalesce(${emailKey}, email_key),
               email_verified = email_verified AND NOT ${hasMoved}::boolean, updated_at = clock_timestamp()
         WHERE id = ${id} RETURNING ${accountColumns}`.catch(refuseTaken);
      const isRenamed = username !== null && username !== before.username;
      return { account, formerEmail: hasMoved ? before.email : undefined, isRenamed };
    },

    /** @returns false when there is no such user, or the address was verified before */
    async verifyEmail(id: number): Promise<boolean> {
      const verified = await query`
        UPDATE users SET email_verified = TRUE, updated_at = clock_timestamp()
         WHERE id = ${id} AND NOT email_verified RETURNING id`;
      return verified.length > 0;
    },

    /**
     * @returns the generation below which the user's access tokens are void now; undefined when there is no such user, or
     *   the role is not a new one
     */
    async setRole(id: number, role: Role): Promise<number | undefined> {
      const [changed] = await query<{ generation: number }[]>`
        UPDATE users SET role = ${role}, updated_at = clock_timestamp()
         WHERE id = ${id} AND role <> ${role} RETURNING generation`;
      return changed?.generation;
    },

    /** Changes of who is an admin wait for each other until the transaction ends. To be called before any row is locked. */
    async lockAdmins(): Promise<void> {
      await query`SELECT pg_advisory_xact_lock(hashtextextended('users/admins', 0))`;
    },

    /** Whether there is an admin. @param except a user who does not count */
    async hasAdmin(except?: number): Promise<boolean> {
      const admins = await query`
        SELECT id FROM users WHERE role = 'admin' AND id IS DISTINCT FROM ${except ?? null}::int LIMIT 1`;
      return admins.length > 0;
    },

    /** Nothing can be begun with the user until the transaction ends. @returns false when there is none */
    async lock(id: number): Promise<boolean> {
      const rows = await query`SELECT id FROM users WHERE id = ${id} FOR UPDATE`;
      return rows.length > 0;
    },

    async remove(id: number): Promise<void> {
      await query`DELETE FROM users WHERE id = ${id}`;
    },
  };
}

/** @param unprepared plans each statement for its values: each filter has an index of its own */
export function createUserList(unprepared: Query) {
  /** One row more than the window's limit, which shows whether there is a next page; counts up to MOST_COUNTED. */
  return async ({ q, role }: UserFilter, { limit, offset, after }: Window<readonly [number]>) => {
    const part = q === undefined ? undefined : `%${escapePattern(identityKey(q))}%`;
    const matching = sql`${role === undefined ? sql`TRUE` : sql`role = ${role}`}
      AND ${part === undefined ? sql`TRUE` : sql`(username_key LIKE ${part} OR email_key LIKE ${part})`}`;
    const behind = after === undefined ? sql`TRUE` : sql`id > ${after[0]}::int`;
    const [[count], rows] = await Promise.all([
      unprepared<[{ total: number }]>`
        SELECT count(*)::int AS total FROM (SELECT FROM users WHERE ${matching} LIMIT ${MOST_COUNTED}::int) AS counted`,
      unprepared<Account[]>`
        SELECT ${accountColumns} FROM users WHERE ${matching} AND ${behind}
         ORDER BY id LIMIT ${limit + 1}::int OFFSET ${offset}::int`,
    ]);
    return { total: count.total, rows };
  };
}

function refuseTaken(error: unknown): never {
  if (isUniqueViolation(error, 'users_username_key')) throw new UsernameTaken();
  if (isUniqueViolation(error, 'users_email_key')) throw new EmailTaken();
  throw error;
}

/** For LIKE. */
const escapePattern = (text: string) => text.replaceAll(/[\\%_]/g, '\\$&');
