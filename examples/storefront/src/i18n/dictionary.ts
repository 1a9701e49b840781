import type { en } from './en.ts';

/** What every language has to have. */
export type Dictionary = typeof en;
