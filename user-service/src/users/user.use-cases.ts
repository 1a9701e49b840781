import { Forbidden, Unauthenticated } from '@shop/service-kit/errors/http-errors';
import { etagOf } from '@shop/service-kit/http/mount-routes';
import { idCursor, toPage, toWindow } from '@shop/service-kit/http/paging';
import type { User } from '@shop/service-kit/http/principal';
import type { Query } from '@shop/service-kit/postgres/query';
import type { UserCache, UserRead } from '@shop/service-kit/redis/user-cache';
import type { ChangeAccounts } from '../accounts/account.changer.ts';
import { forgetOrigins } from '../audit/audit.steps.ts';
import type { Origin } from '../audit/origin.ts';
import type { Account, Role } from '../identity/account.ts';
import { toUserResponse } from '../identity/user.response.ts';
import { reportMove, requestMail } from '../mail/mail.steps.ts';
import type { ActiveSession } from '../sessions/session.repository.ts';
import type { SessionUseCases } from '../sessions/session.use-cases.ts';
import { LastAdmin, UserNotFound } from './user.errors.ts';
import { createUserList, createUserRepository } from './user.repository.ts';
import { type Changes, oneUser, type UsersQuery } from './user.schemas.ts';

interface UserOptions {
  query: Query;
  /** Plans each statement for its values. */
  unprepared: Query;
  change: ChangeAccounts;
  sessions: SessionUseCases;
  /** Of what users see of themselves. */
  cache: UserCache;
}

export function createUserUseCases({ query, unprepared, change, sessions, cache }: UserOptions) {
  const users = createUserRepository(query);
  const listUsers = createUserList(unprepared);

  return {
    /** The signed-in user as a finished response, from the cache. @throws Unauthenticated when the account was just deleted */
    readOwn: (id: number): Promise<UserRead> =>
      cache.read(id, 'me', async () => {
        const account = await users.find(id);
        if (account === undefined) throw new Unauthenticated('The account does not exist any more');
        const json = JSON.stringify(oneUser.parse({ user: toUserResponse(account) }));
        return { etag: etagOf(json), bytes: Buffer.from(json) };
      }),

    /** @throws Forbidden, UserNotFound */
    async find(caller: User, id: number): Promise<Account> {
      requireSelfOrAdmin(caller, id);
      return found(await users.find(id));
    },

    async list(filter: UsersQuery) {
      const window = toWindow(filter, idCursor);
      const { total, rows } = await listUsers({ q: filter.q, role: filter.role }, window);
      return toPage(window, rows, total, (account): [number] => [account.id]);
    },

    /**
     * A new address is mailed a link that verifies it, and the former one a notice of the change.
     * @throws Forbidden, UserNotFound, UsernameTaken, EmailTaken
     */
    async change(caller: User, id: number, changes: Changes, origin: Origin): Promise<Account> {
      requireSelfOrAdmin(caller, id);
      return change([id], async ({ query, record }) => {
        const changed = await createUserRepository(query).change(id, changes);
        if (changed === undefined) throw new UserNotFound();
        const { account, formerEmail, isRenamed } = changed;
        if (formerEmail !== undefined) {
          await requestMail(query, id, 'verify_email');
          await reportMove(query, id, formerEmail);
          record({ event: 'email_changed', userId: id, actorId: caller.id, origin });
        }
        if (isRenamed) record({ event: 'username_changed', userId: id, actorId: caller.id, origin });
        return account;
      });
    },

    /**
     * Nothing personal is left, the name is free again, and every session of the user is over.
     * @throws Forbidden, UserNotFound, LastAdmin
     */
    async remove(caller: User, id: number, origin: Origin): Promise<void> {
      requireSelfOrAdmin(caller, id);
      await change([id], async (step) => {
        const inside = createUserRepository(step.query);
        await keepAnAdmin(inside, id);
        if (!(await inside.lock(id))) throw new UserNotFound();
        await sessions.remove(id, step);
        await inside.remove(id);
        await forgetOrigins(step.query, id);
        step.record({ event: 'user_deleted', userId: id, actorId: caller.id, origin });
      });
    },

    /** The user stays signed in; the next refresh brings the new role. @throws Forbidden on oneself, UserNotFound, LastAdmin */
    async setRole(admin: User, id: number, role: Role, origin: Origin): Promise<Account> {
      if (admin.id === id) throw new Forbidden();
      return change([id], async ({ query, record, voidTokens }) => {
        const inside = createUserRepository(query);
        if (role !== 'admin') await keepAnAdmin(inside, id);
        const generation = await inside.setRole(id, role);
        if (generation !== undefined) {
          record({ event: 'role_changed', userId: id, actorId: admin.id, origin, details: { role } });
          voidTokens({ userId: id, below: generation });
        }
        return found(await inside.find(id));
      });
    },

    /** Where a user is signed in. @throws UserNotFound */
    async listSessions(id: number): Promise<ActiveSession[]> {
      found(await users.find(id));
      return sessions.list(id);
    },

    /** Signs the user out everywhere. @throws UserNotFound */
    revokeSessions(admin: User, id: number, origin: Origin): Promise<void> {
      return change([], async (step) => {
        const revoked = await sessions.revokeAll(id, 'ended_by_admin', step);
        if (revoked === undefined) throw new UserNotFound();
        const details = { sessions: revoked };
        step.record({ event: 'sessions_ended_by_admin', userId: id, actorId: admin.id, origin, details });
      });
    },
  };
}

export type UserUseCases = ReturnType<typeof createUserUseCases>;

function requireSelfOrAdmin(caller: User, id: number): void {
  if (caller.id !== id && caller.role !== 'admin') throw new Forbidden();
}

/** Before a user stops being an admin, in the same transaction. @throws LastAdmin */
async function keepAnAdmin(users: ReturnType<typeof createUserRepository>, id: number): Promise<void> {
  await users.lockAdmins();
  if ((await users.find(id))?.role === 'admin' && !(await users.hasAdmin(id))) throw new LastAdmin();
}

function found(account: Account | undefined): Account {
  if (account === undefined) throw new UserNotFound();
  return account;
}
