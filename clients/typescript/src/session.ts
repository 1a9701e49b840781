import type { sessionMethods } from './api.methods.ts';
import type { Tokens, User } from './api.types.ts';
import { ShopError } from './errors.ts';
import type { SessionTokens } from './session.tokens.ts';
import type { Body, CallOptions } from './types.ts';

/** The methods of the session that change which tokens the client has. */
export function signingMethods(api: ReturnType<typeof sessionMethods>, tokens: SessionTokens) {
  async function signIn(response: Promise<{ user: User; tokens?: Tokens }>) {
    const { user, tokens: pair } = await response;
    await tokens.save(pair);
    return user;
  }
  /** This client forgets the session, whatever the shop responds. It is no failure if the session has already ended. */
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
    register: (account: Body<'registerUser'>, options?: CallOptions) =>
      signIn(api.register(account, options)),
    login: (credentials: Body<'login'>, options?: CallOptions) => signIn(api.login(credentials, options)),
    /** Ends this session; the client is signed out even where the call fails. */
    logout: (options?: CallOptions) => signOut(api.logout(options)),
    /** Ends all sessions of the user. */
    logoutAll: (options?: CallOptions) => signOut(api.logoutAll(options)),
    /** Exchanges the tokens for a new pair; calls do this themselves when they need to. @returns whether somebody is signed in */
    async refresh() {
      const spent = await tokens.stored();
      return (await tokens.renew(spent?.access_token)) !== undefined;
    },
    /** Whether there are tokens; the shop may have ended the session since. */
    isSignedIn: async () => (await tokens.stored()) !== undefined,
    /** Ends all other sessions. */
    changePassword: async (passwords: Body<'changePassword'>, options?: CallOptions) =>
      tokens.save(await api.changePassword(passwords, options)),
  };
}
