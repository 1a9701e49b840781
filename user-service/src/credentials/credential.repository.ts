import type { Query } from '@shop/service-kit/postgres/query';
import { type Account, accountColumns } from '../identity/account.ts';

/** An account with its password, as far as that is stored. */
export interface Credential {
  account: Account;
  passwordHash: string;
  /** Grows when the password changes, not when it is hashed again at another cost. */
  passwordVersion: number;
}

type Row = Account & Omit<Credential, 'account'>;

/** The only place that reads password hashes. */
export function createCredentialRepository(query: Query) {
  return {
    /** @param key of a username or an email; the two cannot be confused, since only emails have an `@` */
    async findByKey(key: string): Promise<Credential | undefined> {
      const rows = key.includes('@')
        ? await query<Row[]>`
            SELECT ${accountColumns}, password_hash AS "passwordHash", password_version AS "passwordVersion"
              FROM users WHERE email_key = ${key}`
        : await query<Row[]>`
            SELECT ${accountColumns}, password_hash AS "passwordHash", password_version AS "passwordVersion"
              FROM users WHERE username_key = ${key}`;
      return toCredential(rows[0]);
    },

    /** Transactions for the same key wait for each other, whether an account has it or not. */
    async lockKey(key: string): Promise<void> {
      await query`SELECT pg_advisory_xact_lock(hashtextextended(${key}, 1))`;
    },

    async findByUser(id: number): Promise<Credential | undefined> {
      const [row] = await query<Row[]>`
        SELECT ${accountColumns}, password_hash AS "passwordHash", password_version AS "passwordVersion"
          FROM users WHERE id = ${id}`;
      return toCredential(row);
    },

    /** Of all stored hashes; reads every row. Undefined while there is none. */
    async highestCost(): Promise<number | undefined> {
      const [row] = await query<{ cost: number | null }[]>`
        SELECT max(substring(password_hash FROM 5 FOR 2))::int AS cost FROM users`;
      return row?.cost ?? undefined;
    },

    /** The same password at a new cost: sessions stay. */
    async strengthen({ account, passwordHash }: Credential, newHash: string): Promise<void> {
      await query`
        UPDATE users SET password_hash = ${newHash} WHERE id = ${account.id} AND password_hash = ${passwordHash}`;
    },

    /** @returns false when the password was changed since the credential was read */
    async replace({ account, passwordVersion }: Credential, newHash: string): Promise<boolean> {
      const replaced = await query`
        UPDATE users SET password_hash = ${newHash}, password_version = password_version + 1, updated_at = clock_timestamp()
         WHERE id = ${account.id} AND password_version = ${passwordVersion} RETURNING id`;
      return replaced.length > 0;
    },

    /** Whoever could read the mail has the mailbox: its address is verified. */
    async reset(userId: number, newHash: string): Promise<void> {
      await query`
        UPDATE users SET password_hash = ${newHash}, password_version = password_version + 1, email_verified = TRUE,
               updated_at = clock_timestamp()
         WHERE id = ${userId}`;
    },
  };
}

function toCredential(row: Row | undefined): Credential | undefined {
  if (row === undefined) return undefined;
  const { passwordHash, passwordVersion, ...account } = row;
  return { account, passwordHash, passwordVersion };
}
