import { z } from 'zod';
import type { Money } from '../money/money.ts';

/** The largest id and the largest number an `integer` column holds. */
export const INT32_MAX = 2_147_483_647;
/** Highest price, in major units (the HTTP contract, "Money"). */
const MAX_AMOUNT = 9_999_999.99;

const isMissing = (input: unknown) => input === undefined || input === null || input === '';
const isStorable = (text: string) => text.isWellFormed() && !text.includes('\0');

interface TextRules {
  min?: number;
  max: number;
  /** Passwords are taken as they are: never trimmed. */
  trim?: false;
}

/** Text of bounded length, well-formed and without NUL. Texts of the errors: `<label> is required`, `<label> must be …`. */
export function text(label: string, { min = 1, max, trim }: TextRules) {
  const base = z.string({
    error: (issue) => (isMissing(issue.input) ? `${label} is required` : `${label} must be a string`),
  });
  const short = min <= 1 ? `${label} is required` : `${label} must be at least ${min} characters`;
  return (trim === false ? base : base.trim())
    .refine((value) => value !== '' || min === 0, { error: `${label} is required`, abort: true })
    .refine(isStorable, { error: `${label} contains characters that cannot be stored`, abort: true })
    .refine((value) => value.length >= min, { error: short, abort: true })
    .refine((value) => value.length <= max, { error: `${label} must be at most ${max} characters` })
    .meta({ minLength: min, maxLength: max });
}

/** A whole number in a JSON body. `wrong` is the whole sentence for anything that is none, or out of range. */
export function integer(label: string, { min, max, wrong }: { min: number; max: number; wrong: string }) {
  return z
    .number({ error: (issue) => (isMissing(issue.input) ? `${label} is required` : wrong) })
    .refine(Number.isInteger, { error: wrong, abort: true })
    .refine((value) => value >= min, { error: wrong, abort: true })
    .refine((value) => value <= max, { error: `${label} must be at most ${max}` })
    .meta({ type: 'integer', minimum: min, maximum: max });
}

/** An amount in a JSON body, in major units; comes out in minor units. */
export function amount(label: string, money: Money) {
  return z
    .number({
      error: (issue) =>
        isMissing(issue.input) ? `${label} is required` : `${label} must be a positive number`,
    })
    .refine((value) => value >= 0, { error: `${label} must be a positive number`, abort: true })
    .refine((value) => value <= MAX_AMOUNT, { error: `${label} must be at most ${MAX_AMOUNT}`, abort: true })
    .transform((value, context) => toMinor(label, value, money, context));
}

/** An amount in a query string, in major units; comes out in minor units. */
export function amountQuery(label: string, money: Money) {
  return z
    .string()
    .regex(/^\d{1,9}(\.\d{1,4})?$/, { error: `${label} must be a positive number`, abort: true })
    .transform((value, context) => toMinor(label, Number(value), money, context));
}

function toMinor(label: string, value: number, money: Money, context: z.RefinementCtx): number {
  const minor = money.toMinor(value);
  if (minor !== null) return minor;
  context.addIssue({ code: 'custom', message: `${label} must have at most ${money.decimals} decimals` });
  return z.NEVER;
}

/** A whole number in a query string or path: digits only, so that `1e3`, `0x10` and an empty value are refused. */
export function integerQuery(label: string, { min, max }: { min: number; max: number }) {
  const wrong = `${label} must be a whole number from ${min} to ${max}`;
  return z
    .string({ error: wrong })
    .regex(/^\d{1,16}$/, { error: wrong, abort: true })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error: wrong })
    .meta({ type: 'integer', minimum: min, maximum: max });
}

/** `:id` of a path: a positive int32. */
export const idParams = z.strictObject({ id: integerQuery('Id', { min: 1, max: INT32_MAX }) });

/** `true` or `false` in a query string. */
export function booleanQuery(label: string) {
  return z
    .enum(['true', 'false'], { error: `${label} must be true or false` })
    .transform((value) => value === 'true');
}

/** An instant in a query string: an ISO 8601 date, which is its midnight in UTC, or a time with its zone. */
export function instantQuery(label: string) {
  const error = `${label} must be an ISO 8601 date or time`;
  return (
    z
      .union([z.iso.datetime({ offset: true }), z.iso.date()], { error })
      .transform((value) => new Date(value))
      // Postgres knows no year 0.
      .refine((instant) => instant.getUTCFullYear() >= 1, { error })
  );
}

/** An instant in answers: ISO 8601 UTC. Takes a Date or a text that already is one. */
export const instant = z
  .union([z.date(), z.string()])
  .transform((value) => (typeof value === 'string' ? value : value.toISOString()))
  .meta({ type: 'string', format: 'date-time' });
