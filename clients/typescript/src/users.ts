import type { Calls } from './calls.ts';
import { ShopError } from './errors.ts';
import { everyRow } from './paging.ts';
import type { SessionTokens } from './session.tokens.ts';
import type {
  AuditEventPage,
  Body,
  CallOptions,
  Filter,
  Query,
  ReadOptions,
  Session,
  Tokens,
  User,
  UserPage,
} from './types.ts';

/** The account of the caller: signing in and out, passwords, sessions. */
export function sessionCalls({ send, take }: Calls, tokens: SessionTokens) {
  const isOpen = true;
  async function signIn(response: Promise<{ user: User; tokens?: Tokens }>) {
    const { user, tokens: pair } = await response;
    await tokens.save(pair);
    return user;
  }
  /** Whatever the shop says, this client forgets the session. One that is over already is no failure. */
  async function signOut(response: Promise<undefined>) {
    try {
      await response;
    } catch (error) {
      if (!(error instanceof ShopError) || error.status !== 401) throw error;
    } finally {
      await tokens.save(undefined);
    }
  }
  return {
    /** Makes an account and signs in. */
    register: (account: Body<'registerUser'>, options?: CallOptions): Promise<User> =>
      signIn(send('post', '/api/users/register', { ...options, body: account, isOpen })),
    login: (credentials: Body<'login'>, options?: CallOptions): Promise<User> =>
      signIn(send('post', '/api/users/login', { ...options, body: credentials, isOpen })),
    /** Ends this session; the client is signed out even where the call fails. */
    logout: (options?: CallOptions) => signOut(send('post', '/api/users/logout', options)),
    /** Ends all sessions of the user. */
    logoutAll: (options?: CallOptions) => signOut(send('post', '/api/users/logout-all', options)),
    /** A new pair of tokens; calls do it themselves when they need one. @returns whether somebody is signed in */
    async refresh() {
      const spent = await tokens.stored();
      return (await tokens.renew(spent?.access_token)) !== undefined;
    },
    /** Whether there are tokens; the shop may have ended the session since. */
    isSignedIn: async () => (await tokens.stored()) !== undefined,
    me: (options?: ReadOptions<User>): Promise<User> => take('get', '/api/users/me', 'user', options),
    /** Ends all other sessions. */
    async changePassword(passwords: Body<'changePassword'>, options?: CallOptions) {
      await tokens.save(
        await take('put', '/api/users/me/password', 'tokens', { ...options, body: passwords }),
      );
    },
    list: (options?: CallOptions): Promise<Session[]> =>
      take('get', '/api/users/me/sessions', 'sessions', options),
    revoke: (id: string, options?: CallOptions) =>
      send('delete', '/api/users/me/sessions/{id}', { ...options, id }),
    /** Mails a link, if the address has an account. */
    requestPasswordReset: (email: string, options?: CallOptions) =>
      take('post', '/api/users/password-reset', 'message', { ...options, body: { email }, isOpen }),
    /** @param reset with the token of the link; all sessions of the user end */
    resetPassword: (reset: Body<'resetPassword'>, options?: CallOptions) =>
      take('post', '/api/users/password-reset/confirm', 'message', { ...options, body: reset, isOpen }),
    /** @param token of the mailed link */
    verifyEmail: (token: string, options?: CallOptions) =>
      take('post', '/api/users/verify-email', 'message', { ...options, body: { token }, isOpen }),
    /** Mails the link once more. */
    requestEmailVerification: (options?: CallOptions) =>
      take('post', '/api/users/me/verify-email', 'message', options),
    /** The keys that verify access tokens; none while the shop signs with a shared secret. */
    publicKeys: (options?: CallOptions) =>
      take('get', '/.well-known/jwks.json', 'keys', { ...options, isOpen }),
  };
}

/** Accounts by id: of oneself, or of anyone for admins. */
export function userCalls({ send, take }: Calls) {
  const list = (query?: Query<'listUsers'>, options?: CallOptions): Promise<UserPage> =>
    send('get', '/api/users', { ...options, query });
  const audit = (query?: Query<'listAuditEvents'>, options?: CallOptions): Promise<AuditEventPage> =>
    send('get', '/api/users/audit', { ...options, query });
  return {
    /** One page; admins only. */
    list,
    all: (query?: Filter<'listUsers'>, options?: CallOptions) =>
      everyRow(
        (at) => list({ ...at, ...query }, options),
        ({ users }) => users,
      ),
    get: (id: number, options?: CallOptions): Promise<User> =>
      take('get', '/api/users/{id}', 'user', { ...options, id }),
    update: (id: number, changes: NonNullable<Body<'updateUser'>>, options?: CallOptions): Promise<User> =>
      take('put', '/api/users/{id}', 'user', { ...options, id, body: changes }),
    /** Erases the account and what is personal in it. */
    delete: (id: number, options?: CallOptions) =>
      take('delete', '/api/users/{id}', 'message', { ...options, id }),
    setRole: (id: number, role: User['role'], options?: CallOptions): Promise<User> =>
      take('put', '/api/users/{id}/role', 'user', { ...options, id, body: { role } }),
    sessions: (id: number, options?: CallOptions): Promise<Session[]> =>
      take('get', '/api/users/{id}/sessions', 'sessions', { ...options, id }),
    revokeSessions: (id: number, options?: CallOptions) =>
      send('delete', '/api/users/{id}/sessions', { ...options, id }),
    /** One page of security events; admins only. */
    audit,
    auditAll: (query?: Filter<'listAuditEvents'>, options?: CallOptions) =>
      everyRow(
        (at) => audit({ ...at, ...query }, options),
        ({ events }) => events,
      ),
  };
}
