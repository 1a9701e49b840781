import { Forbidden, Unauthenticated } from '@shop/service-kit/errors/http-errors';
import { etagOf } from '@shop/service-kit/http/mount-routes';
import { idCursor, toPage, toWindow } from '@shop/service-kit/http/paging';
import type { User } from '@shop/service-kit/http/request-context';
import type { UserCache, UserRead } from '@shop/service-kit/redis/user-cache';
import type { AuditUseCases } from '../audit/audit.use-cases.ts';
import type { Origin } from '../audit/origin.ts';
import type { Prisma, PrismaClient } from '../generated/prisma/client.ts';
import type { MailUseCases } from '../mail/mail.use-cases.ts';
import type { PasswordHasher } from '../passwords/password.hasher.ts';
import type { SessionUseCases } from '../sessions/session.use-cases.ts';
import type { UserAnswer } from './user.answer.ts';
import { EmailTaken, LastAdmin, UserNotFound, UsernameTaken } from './user.errors.ts';
import { createUserRepository } from './user.repository.ts';
import { type Changes, oneUser, type Registration, type UsersQuery } from './user.schemas.ts';

interface UserOptions {
  db: PrismaClient;
  hasher: PasswordHasher;
  sessions: SessionUseCases;
  mails: MailUseCases;
  audit: AuditUseCases;
  /** Of what users see of themselves. */
  cache: UserCache;
}

/** The password version that every account begins with. */
const FIRST_PASSWORD = 1;

export function createUserUseCases({ db, hasher, sessions, mails, audit, cache }: UserOptions) {
  const users = createUserRepository(db);
  /** A transaction that changes what this user sees. */
  const committed = <T>(id: number, work: (tx: Prisma.TransactionClient) => Promise<T>): Promise<T> =>
    cache.whileChanging([id], () => db.$transaction(work));

  /** The signed-in user. @throws Unauthenticated when the account was deleted a moment ago */
  async function own(id: number): Promise<UserAnswer> {
    const user = await users.find(id);
    if (user === undefined) throw new Unauthenticated('The account does not exist any more');
    return user;
  }

  return {
    /**
     * Opens an account and mails a link that verifies its address. Without tokens where that has to be done first.
     * @throws UsernameTaken, EmailTaken
     */
    async register({ username, email, password }: Registration, origin: Origin) {
      const taken = await users.findTaken({ username, email });
      if (taken !== undefined) throw taken === 'username' ? new UsernameTaken() : new EmailTaken();
      const passwordHash = await hasher.hash(password);
      return db.$transaction(async (tx) => {
        const user = await createUserRepository(tx).create({ username, email, passwordHash });
        await mails.ask(user.id, 'verify_email', tx);
        const told = { event: 'registered', userId: user.id, actorId: user.id, origin } as const;
        await audit.record(tx, told);
        const owner = { userId: user.id, passwordVersion: FIRST_PASSWORD };
        return {
          user,
          ...(sessions.requireVerifiedEmail ? {} : { tokens: await sessions.start(owner, origin, tx) }),
        };
      });
    },

    own,

    /** The same as a finished response, from the cache. */
    readOwn: (id: number): Promise<UserRead> =>
      cache.read(id, 'me', async () => {
        const json = JSON.stringify(oneUser.parse({ user: await own(id) }));
        return { etag: etagOf(json), bytes: Buffer.from(json) };
      }),

    /** @throws Forbidden, UserNotFound */
    async show(caller: User, id: number): Promise<UserAnswer> {
      requireSelfOrAdmin(caller, id);
      return found(await users.find(id));
    },

    async list(query: UsersQuery) {
      const window = toWindow(query, idCursor);
      const { total, rows } = await users.list({ q: query.q, role: query.role }, window);
      const page = toPage(window, rows, total, (user): [number] => [user.id]);
      return { users: page.rows, ...page.paging };
    },

    /**
     * A new address is mailed a link that verifies it, and the former one that it changed.
     * @throws Forbidden, UserNotFound, UsernameTaken, EmailTaken
     */
    async change(caller: User, id: number, changes: Changes, origin: Origin): Promise<UserAnswer> {
      requireSelfOrAdmin(caller, id);
      const result = await committed(id, async (tx) => {
        const changed = await createUserRepository(tx).change(id, changes);
        if (changed?.formerEmail !== undefined) {
          await mails.ask(id, 'verify_email', tx);
          await mails.reportMove(id, changed.formerEmail, tx);
          const told = { event: 'email_changed', userId: id, actorId: caller.id, origin } as const;
          await audit.record(tx, told);
        }
        if (changed?.isRenamed)
          await audit.record(tx, { event: 'username_changed', userId: id, actorId: caller.id, origin });
        return changed;
      });
      return found(result?.user);
    },

    /**
     * Nothing personal is left, the name is free again, and every session of the user is over.
     * @throws Forbidden, UserNotFound, LastAdmin
     */
    async remove(caller: User, id: number, origin: Origin): Promise<void> {
      requireSelfOrAdmin(caller, id);
      await committed(id, async (tx) => {
        const inside = createUserRepository(tx);
        await keepAnAdmin(inside, id);
        if (!(await inside.lock(id))) throw new UserNotFound();
        await sessions.remove(id, tx);
        await inside.remove(id);
        await audit.record(tx, { event: 'user_deleted', userId: id, actorId: caller.id, origin });
        await audit.forgetOrigins(id, tx);
      });
      sessions.announce({ userId: id });
    },

    /** The user stays signed in; the next refresh brings the new role. @throws Forbidden on oneself, UserNotFound, LastAdmin */
    async setRole(admin: User, id: number, role: UserAnswer['role'], origin: Origin): Promise<UserAnswer> {
      if (admin.id === id) throw new Forbidden();
      const below = await committed(id, async (tx) => {
        const inside = createUserRepository(tx);
        if (role !== 'admin') await keepAnAdmin(inside, id);
        const generation = await inside.setRole(id, role);
        if (generation === undefined) return undefined;
        const told = {
          event: 'role_changed',
          userId: id,
          actorId: admin.id,
          origin,
          details: { role },
        } as const;
        await audit.record(tx, told);
        return generation;
      });
      if (below !== undefined) sessions.announce({ userId: id, below });
      return found(await users.find(id));
    },

    /** Where a user is signed in. @throws UserNotFound */
    async listSessions(admin: User, id: number) {
      found(await users.find(id));
      return sessions.list(id, admin.sessionId);
    },

    /** Signs the user out everywhere. @throws UserNotFound */
    async endSessions(admin: User, id: number, origin: Origin): Promise<void> {
      const announced = await db.$transaction(async (tx) => {
        if (!(await createUserRepository(tx).lock(id))) throw new UserNotFound();
        const { sessions: count, voided } = await sessions.endAll(id, 'ended_by_admin', tx);
        const details = { sessions: count };
        const told = {
          event: 'sessions_ended_by_admin',
          userId: id,
          actorId: admin.id,
          origin,
          details,
        } as const;
        await audit.record(tx, told);
        return voided;
      });
      sessions.announce(announced);
    },
  };
}

export type UserUseCases = ReturnType<typeof createUserUseCases>;

function requireSelfOrAdmin(caller: User, id: number): void {
  if (caller.id !== id && caller.role !== 'admin') throw new Forbidden();
}

/** For a user who is about to be no admin any more, in this transaction. @throws LastAdmin */
async function keepAnAdmin(users: ReturnType<typeof createUserRepository>, id: number): Promise<void> {
  await users.lockAdmins();
  if ((await users.find(id))?.role === 'admin' && !(await users.hasAdmin(id))) throw new LastAdmin();
}

function found(user: UserAnswer | undefined): UserAnswer {
  if (user === undefined) throw new UserNotFound();
  return user;
}
