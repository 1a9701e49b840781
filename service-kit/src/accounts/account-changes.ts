import { z } from 'zod';

/** Where user-service reports to the other services what has changed about accounts. */
export const CHANGES_PATH = '/internal/accounts/changes';

const sessionChange = z.object({
  type: z.literal('session'),
  session_id: z.string(),
  /** Tokens of lower generations are void; null: all of them are. */
  void_below: z.int().nullable(),
  /** Set: the tokens of all sessions of this user are meant, and `session_id` is the nil UUID. */
  user_id: z.int().optional(),
  /** Seconds since 1970 by the clock of user-service's database. */
  at: z.number(),
});
const userDeletion = z.object({ type: z.literal('user_deleted'), user_id: z.int(), at: z.number() });

export const changesQuery = z.strictObject({
  after: z
    .string()
    .regex(/^\d{1,18}$/, 'Cursor is not one of ours')
    .optional(),
});
export const changesPage = z.object({
  changes: z.array(z.discriminatedUnion('type', [sessionChange, userDeletion])),
  /** The cursor behind the last change of this page. */
  next: z.string(),
  /** Whether the next page has something already. */
  more: z.boolean(),
  /** Seconds since 1970 by the clock of user-service's database. */
  now: z.number(),
});

export type AccountChange = z.output<typeof changesPage>['changes'][number];
export type ChangesPage = z.output<typeof changesPage>;

/**
 * The changes behind a cursor, in the order in which they were committed. A change may come again, and none is left out.
 * @param after without it: those of the last lifetime of an access token; '0': all that are kept, among them all deletions
 */
export type ReadChanges = (after: string | undefined) => Promise<ChangesPage>;
