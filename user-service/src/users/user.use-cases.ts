import { Forbidden, Unauthenticated } from '@shop/service-kit/errors/http-errors';
import type { Caller } from '@shop/service-kit/http/define-route';
import { idCursor, toPage, toWindow } from '@shop/service-kit/http/paging';
import type { User } from '@shop/service-kit/http/request-context';
import type { PrismaClient } from '../generated/prisma/client.ts';
import type { PasswordHasher } from '../passwords/password.hasher.ts';
import type { SessionUseCases } from '../sessions/session.use-cases.ts';
import type { UserAnswer } from './user.answer.ts';
import { EmailTaken, UserNotFound, UsernameTaken } from './user.errors.ts';
import { createUserRepository } from './user.repository.ts';
import type { Changes, Registration, UsersQuery } from './user.schemas.ts';

interface UserOptions {
  db: PrismaClient;
  hasher: PasswordHasher;
  sessions: SessionUseCases;
}

/** The password version that every account begins with. */
const FIRST_PASSWORD = 1;

export function createUserUseCases({ db, hasher, sessions }: UserOptions) {
  const users = createUserRepository(db);

  return {
    /** @throws UsernameTaken, EmailTaken, Busy */
    async register({ username, email, password }: Registration, caller: Caller) {
      const taken = await users.findTaken({ username, email });
      if (taken !== undefined) throw taken === 'username' ? new UsernameTaken() : new EmailTaken();
      const user = await users.create({ username, email, passwordHash: await hasher.hash(password) });
      const tokens = await sessions.start({ userId: user.id, passwordVersion: FIRST_PASSWORD }, caller);
      return { user, tokens };
    },

    /** The signed-in user. @throws Unauthenticated when the account was deleted a moment ago */
    async own(id: number): Promise<UserAnswer> {
      const user = await users.find(id);
      if (user === undefined) throw new Unauthenticated('The account does not exist any more');
      return user;
    },

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

    /** @throws Forbidden, UserNotFound, UsernameTaken, EmailTaken */
    async change(caller: User, id: number, changes: Changes): Promise<UserAnswer> {
      requireSelfOrAdmin(caller, id);
      return found(await users.change(id, changes));
    },

    /**
     * Nothing personal is left, the name is free again, and every session of the user is over.
     * @throws Forbidden, UserNotFound
     */
    async remove(caller: User, id: number): Promise<void> {
      requireSelfOrAdmin(caller, id);
      const ended = await db.$transaction(async (tx) => {
        const inside = createUserRepository(tx);
        if (!(await inside.lock(id))) throw new UserNotFound();
        const sessionsOver = await sessions.endForGood(id, tx);
        await inside.remove(id);
        return sessionsOver;
      });
      await sessions.announce(ended);
    },

    /** The user stays signed in; the next refresh brings the new role. @throws Forbidden on oneself, UserNotFound */
    async setRole(admin: User, id: number, role: UserAnswer['role']): Promise<UserAnswer> {
      if (admin.id === id) throw new Forbidden();
      const revoked = await db.$transaction(async (tx) => {
        const changed = await createUserRepository(tx).setRole({ id }, role);
        return changed ? sessions.voidAccessTokens(id, tx) : [];
      });
      await sessions.announce(revoked);
      return found(await users.find(id));
    },
  };
}

export type UserUseCases = ReturnType<typeof createUserUseCases>;

function requireSelfOrAdmin(caller: User, id: number): void {
  if (caller.id !== id && caller.role !== 'admin') throw new Forbidden();
}

function found(user: UserAnswer | undefined): UserAnswer {
  if (user === undefined) throw new UserNotFound();
  return user;
}
