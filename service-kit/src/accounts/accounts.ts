import type { ReadinessCheck } from '../runtime/health.ts';
import type { VerifiedUser } from '../tokens/access-token.ts';
import type { VoidTokens } from './known-changes.ts';

/** What a process knows about accounts, so that asking costs a request nothing. */
export interface Accounts {
  /** False until the changes of the last lifetime of an access token have been read: no token can be judged before. */
  isKnown(): boolean;
  /** Whether the token was issued before its session was revoked, or before its role changed. */
  isVoid(token: Pick<VerifiedUser, 'sessionId' | 'generation' | 'id'>): boolean;
  /** Seconds since 1970 by the clock that tokens are issued by. */
  now(): number;
  /** Refuses these tokens from now on, without reading the feed: for user-service, after its own commits. */
  voidTokens(tokens: readonly VoidTokens[]): void;
  /** For `GET /ready`: changes that have not been read for too long degrade the service. */
  checks: Record<string, ReadinessCheck>;
  close(): void;
}

/** Of a service that has no feed of accounts: each token is good until it expires. */
export const unknownAccounts: Accounts = {
  isKnown: () => true,
  isVoid: () => false,
  now: () => Date.now() / 1000,
  voidTokens: () => undefined,
  checks: {},
  close: () => undefined,
};
