import type { Window } from '@shop/service-kit/http/paging';
import { isUniqueViolation } from '@shop/service-kit/postgres/database-errors';
import type { Prisma } from '../generated/prisma/client.ts';
import type { UserAnswer } from './user.answer.ts';
import { EmailTaken, UsernameTaken } from './user.errors.ts';
import { identityKey } from './user.identity.ts';

type Role = UserAnswer['role'];

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

/** Everything but the password, which only the passwords feature reads. */
const columns = {
  id: true,
  username: true,
  email: true,
  role: true,
  emailVerified: true,
  createdAt: true,
  updatedAt: true,
} as const;

export function createUserRepository(db: Prisma.TransactionClient) {
  return {
    /** Which of the two is taken already; `create` finds out as well, but only after the password was hashed. */
    async findTaken({ username, email }: { username: string; email: string }) {
      const [usernameKey, emailKey] = [identityKey(username), identityKey(email)];
      const rows = await db.user.findMany({
        where: { OR: [{ usernameKey }, { emailKey }] },
        select: { usernameKey: true },
      });
      if (rows.some((row) => row.usernameKey === usernameKey)) return 'username';
      return rows.length > 0 ? 'email' : undefined;
    },

    /** @throws UsernameTaken, EmailTaken */
    async create({ username, email, ...rest }: NewUser): Promise<UserAnswer> {
      const data = { ...named({ username, email }), ...rest };
      return toAnswer(await db.user.create({ data, select: columns }).catch(refuseTaken));
    },

    async find(id: number): Promise<UserAnswer | undefined> {
      const row = await db.user.findUnique({ where: { id }, select: columns });
      return row === null ? undefined : toAnswer(row);
    },

    /**
     * A new address is not a verified one; the same in another spelling is no new one.
     * @returns `formerEmail` only where the address is a new one
     * @throws UsernameTaken, EmailTaken
     */
    async change(id: number, changes: { username?: string | undefined; email?: string | undefined }) {
      const [before] = await db.$queryRaw<{ username: string; email: string; emailKey: string }[]>`
        SELECT username, email, email_key AS "emailKey" FROM users WHERE id = ${id} FOR NO KEY UPDATE`;
      if (before === undefined) return undefined;
      const names = named(changes);
      const hasMoved = names.emailKey !== undefined && names.emailKey !== before.emailKey;
      const data = { ...names, ...(hasMoved ? { emailVerified: false } : {}), updatedAt: new Date() };
      const row = await db.user.update({ where: { id }, data, select: columns }).catch(refuseTaken);
      const isRenamed = names.username !== undefined && names.username !== before.username;
      return { user: toAnswer(row), formerEmail: hasMoved ? before.email : undefined, isRenamed };
    },

    /** @returns false when there is no such user, or the address is a verified one already */
    async verifyEmail(id: number): Promise<boolean> {
      const data = { emailVerified: true, updatedAt: new Date() };
      const { count } = await db.user.updateMany({ where: { id, emailVerified: false }, data });
      return count > 0;
    },

    /**
     * @returns the generation below which the user's access tokens are void now; undefined when there is no such user, or
     *   the role is not a new one
     */
    async setRole(id: number, role: Role): Promise<number | undefined> {
      const [changed] = await db.user.updateManyAndReturn({
        where: { id, role: { not: role } },
        data: { role, updatedAt: new Date() },
        select: { generation: true },
      });
      return changed?.generation;
    },

    /** Changes of who is an admin wait for each other until the transaction ends. Taken before any row is locked. */
    async lockAdmins(): Promise<void> {
      await db.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('users/admins', 0))`;
    },

    /** Whether anybody is an admin. @param except who does not count */
    async hasAdmin(except?: number): Promise<boolean> {
      const where = { role: 'admin', ...(except === undefined ? {} : { id: { not: except } }) };
      return (await db.user.findFirst({ where, select: { id: true } })) !== null;
    },

    /** Nothing can be begun with the user until the transaction ends. @returns false when there is none */
    async lock(id: number): Promise<boolean> {
      const rows = await db.$queryRaw<unknown[]>`SELECT id FROM users WHERE id = ${id} FOR UPDATE`;
      return rows.length > 0;
    },

    async remove(id: number): Promise<void> {
      await db.user.deleteMany({ where: { id } });
    },

    /** One row more than the window's limit, which tells whether a next page exists. */
    async list({ q, role }: UserFilter, { limit, offset, after }: Window<readonly [number]>) {
      const part = q === undefined ? undefined : { contains: escapePattern(identityKey(q)) };
      const where = {
        ...(role === undefined ? {} : { role }),
        ...(part === undefined ? {} : { OR: [{ usernameKey: part }, { emailKey: part }] }),
      };
      const behind = after === undefined ? {} : { id: { gt: after[0] } };
      const [total, rows] = await Promise.all([
        db.user.count({ where }),
        db.user.findMany({
          where: { ...where, ...behind },
          orderBy: { id: 'asc' },
          skip: offset,
          take: limit + 1,
          select: columns,
        }),
      ]);
      return { total, rows: rows.map(toAnswer) };
    },
  };
}

type UserRow = Prisma.UserGetPayload<{ select: typeof columns }>;

function toAnswer({ emailVerified, createdAt, updatedAt, role, ...rest }: UserRow): UserAnswer {
  return {
    ...rest,
    role: role as Role,
    email_verified: emailVerified,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

/** Names with their keys. */
function named<Names extends { username?: string | undefined; email?: string | undefined }>(names: Names) {
  const { username, email } = names;
  return {
    ...(username === undefined ? {} : { username, usernameKey: identityKey(username) }),
    ...(email === undefined ? {} : { email, emailKey: identityKey(email) }),
  } as Names extends { username: string; email: string }
    ? { username: string; usernameKey: string; email: string; emailKey: string }
    : { username?: string; usernameKey?: string; email?: string; emailKey?: string };
}

function refuseTaken(error: unknown): never {
  if (isUniqueViolation(error, 'users_username_key')) throw new UsernameTaken();
  if (isUniqueViolation(error, 'users_email_key')) throw new EmailTaken();
  throw error;
}

/** Prisma hands the text to LIKE as it is. */
const escapePattern = (text: string) => text.replaceAll(/[\\%_]/g, '\\$&');
