import type { Checks } from '../runtime/health.ts';
import type { VerifiedUser } from '../tokens/access-token.ts';
import type { VoidTokens } from './known-changes.ts';

/** A process's copy of the account changes, so that checking a token needs no call. */
export interface Accounts {
  /** False until the changes within the last lifetime of an access token have been read: before, no token can be checked. */
  isKnown(): boolean;
  /** Whether the token was issued before its session was revoked or the user's role changed. */
  isVoid(token: Pick<VerifiedUser, 'sessionId' | 'generation' | 'id'>): boolean;
  /** Seconds since 1970, by the clock that dates the tokens. */
  now(): number;
  /** Revokes these tokens immediately, without reading the feed: for user-service, after its own commits. */
  voidTokens(tokens: readonly VoidTokens[]): void;
  /** For `GET /ready`, which reports `degraded` if changes have not been read for too long. */
  checks: Checks;
  close(): void;
}

/** For a service without the feed: each token is valid until it expires. */
export const unknownAccounts: Accounts = {
  isKnown: () => true,
  isVoid: () => false,
  now: () => Date.now() / 1000,
  voidTokens: () => undefined,
  checks: {},
  close: () => undefined,
};
