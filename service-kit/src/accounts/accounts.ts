import type { ReadinessCheck } from '../runtime/health.ts';
import type { VerifiedUser } from '../tokens/access-token.ts';

/** What a process knows about accounts, so that asking costs a request nothing. */
export interface Accounts {
  /** False until the changes of the last lifetime of an access token have been read: no token can be judged before. */
  isKnown(): boolean;
  /** Whether the token was made before its session ended, or what it says changed. */
  isVoid(token: Pick<VerifiedUser, 'sessionId' | 'generation' | 'id'>): boolean;
  /** Seconds since 1970 by the clock that tokens are made with. */
  now(): number;
  /** Reads now: what was committed before the call is known here afterwards, unless it cannot be read. Never rejects. */
  catchUp(): Promise<void>;
  /** For `GET /ready`: changes that have not been read for too long degrade the service. */
  checks: Record<string, ReadinessCheck>;
  close(): void;
}

/** Of a service that is told nothing about accounts: each token is good until it expires. */
export const unknownAccounts: Accounts = {
  isKnown: () => true,
  isVoid: () => false,
  now: () => Date.now() / 1000,
  catchUp: async () => undefined,
  checks: {},
  close: () => undefined,
};
