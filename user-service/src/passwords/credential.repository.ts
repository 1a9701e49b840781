import type { Prisma } from '../generated/prisma/client.ts';

export interface Credential {
  userId: number;
  username: string;
  email: string;
  emailVerified: boolean;
  passwordHash: string;
  passwordVersion: number;
}

const columns = {
  id: true,
  username: true,
  email: true,
  emailVerified: true,
  passwordHash: true,
  passwordVersion: true,
} as const;

/** The one place that reads password hashes. */
export function createCredentialRepository(db: Prisma.TransactionClient) {
  return {
    /** @param key of a username or an email; the two cannot be mixed up, since only emails have an `@` */
    async findByKey(key: string): Promise<Credential | undefined> {
      const where = key.includes('@') ? { emailKey: key } : { usernameKey: key };
      return toCredential(await db.user.findUnique({ where, select: columns }));
    },

    /** Transactions for the same key wait for each other, whether anybody has it or not. */
    async lockKey(key: string): Promise<void> {
      await db.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${key}, 1))`;
    },

    async findByUser(id: number): Promise<Credential | undefined> {
      return toCredential(await db.user.findUnique({ where: { id }, select: columns }));
    },

    /** Of all stored hashes; reads every row. Undefined while there is none. */
    async highestCost(): Promise<number | undefined> {
      const [row] = await db.$queryRaw<{ cost: number | null }[]>`
        SELECT max(substring(password_hash FROM 5 FOR 2))::int AS cost FROM users`;
      return row?.cost ?? undefined;
    },

    /** The same password at a new cost: sessions stay. */
    async strengthen({ userId, passwordHash }: Credential, newHash: string): Promise<void> {
      await db.user.updateMany({ where: { id: userId, passwordHash }, data: { passwordHash: newHash } });
    },

    /** @returns false when the password was changed since the credential was read */
    async replace({ userId, passwordVersion }: Credential, newHash: string): Promise<boolean> {
      const { count } = await db.user.updateMany({
        where: { id: userId, passwordVersion },
        data: { passwordHash: newHash, passwordVersion: { increment: 1 }, updatedAt: new Date() },
      });
      return count === 1;
    },

    /** Whoever could read the mail has the mailbox: its address is a verified one. */
    async reset(userId: number, newHash: string): Promise<void> {
      await db.user.updateMany({
        where: { id: userId },
        data: {
          passwordHash: newHash,
          passwordVersion: { increment: 1 },
          emailVerified: true,
          updatedAt: new Date(),
        },
      });
    },
  };
}

function toCredential(row: ({ id: number } & Omit<Credential, 'userId'>) | null): Credential | undefined {
  if (row === null) return undefined;
  const { id, ...rest } = row;
  return { userId: id, ...rest };
}
