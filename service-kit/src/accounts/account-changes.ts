import { z } from 'zod';

/** The feed from which the other services read changes of accounts. */
export const CHANGES_PATH = '/internal/accounts/changes';

const sessionChange = z.object({
  type: z.literal('session'),
  session_id: z.string(),
  /** Tokens of lower generations are revoked; null: all of them. */
  void_below: z.int().nullable(),
  /** If present, the tokens of all sessions of this user are revoked, and `session_id` is the nil UUID. */
  user_id: z.int().optional(),
  /** Seconds since 1970 by the clock of user-service's database. */
  at: z.number(),
});
const userDeletion = z.object({ type: z.literal('user_deleted'), user_id: z.int(), at: z.number() });

export const changesPage = z.object({
  changes: z.array(z.discriminatedUnion('type', [sessionChange, userDeletion])),
  /** The cursor after the last change of this page. */
  next: z.string(),
  /** Whether the next page already has changes. */
  more: z.boolean(),
  /** Seconds since 1970 by the clock of user-service's database. */
  now: z.number(),
});

export type AccountChange = z.output<typeof changesPage>['changes'][number];
export type ChangesPage = z.output<typeof changesPage>;

/**
 * The changes after a cursor, in the order in which they were committed. A change may be repeated; none is left out.
 * @param after if missing: the changes within the last lifetime of an access token; '0': all stored changes, including all
 * deletions
 */
export type ReadChanges = (after: string | undefined) => Promise<ChangesPage>;
