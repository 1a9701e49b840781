import { z } from 'zod';
import type { FieldCode } from '../errors/app-error.ts';
import type { Money } from '../money/money.ts';
import { isStorable, lengthOf, tidy } from '../text/texts.ts';

/** The largest id and the largest number an `integer` column holds. */
export const INT32_MAX = 2_147_483_647;
/** Highest price, in minor units of any currency. */
const MAX_PRICE = 999_999_999_999;

/** Counts as absent for a required field. */
export const isMissing = (input: unknown) => input === undefined || input === null || input === '';
/** Counts as absent for an optional field: left out, `null`, empty or blank. */
export const isAbsent = (input: unknown) =>
  isMissing(input) || (typeof input === 'string' && tidy(input) === '');

/** For a zod check: the stable code of a refused field, and the violated bounds. */
export const fieldCode = (code: FieldCode, bounds: { minimum?: number; maximum?: number } = {}) => ({
  params: { code, ...bounds },
});

/** An optional field of a body; `null` or a blank text sets it to `empty`. */
export function clearable<Schema extends z.ZodType, Empty extends string | null | undefined>(
  schema: Schema,
  empty: Empty,
) {
  const isCleared = (value: unknown) => value !== undefined && isAbsent(value);
  return z
    .preprocess(
      (value) => (isCleared(value) ? empty : value),
      (empty === null ? schema.nullable() : schema).optional() as z.ZodType<
        z.output<Schema> | Empty | undefined
      >,
    )
    .optional()
    .meta({ nullable: true });
}

/** An optional field of a body. `null` and a blank text count as absent. */
export const optional = <Schema extends z.ZodType>(schema: Schema) => clearable(schema, undefined);

interface TextRules {
  min?: number;
  max: number;
  /** False for passwords and cursors, which are neither trimmed nor normalised. */
  trim?: false;
}

/**
 * Text of bounded length in characters, well-formed, without NUL, in NFC and trimmed. Texts of the errors:
 * `<label> is required`, `<label> must be …`.
 */
export function text(label: string, { min = 1, max, trim }: TextRules) {
  const base = z.string({
    error: (issue) => (isMissing(issue.input) ? `${label} is required` : `${label} must be a string`),
  });
  const short = min <= 1 ? `${label} is required` : `${label} must be at least ${min} characters`;
  return (trim === false ? base : base.overwrite(tidy))
    .refine((value) => value !== '' || min === 0, {
      error: `${label} is required`,
      abort: true,
      ...fieldCode('required'),
    })
    .refine(isStorable, {
      error: `${label} contains characters that cannot be stored`,
      abort: true,
      ...fieldCode('invalid_characters'),
    })
    .refine((value) => value.length >= min && lengthOf(value) >= min, {
      error: short,
      abort: true,
      ...fieldCode('too_short', { minimum: min }),
    })
    .refine((value) => value.length <= max || lengthOf(value) <= max, {
      error: `${label} must be at most ${max} characters`,
      ...fieldCode('too_long', { maximum: max }),
    })
    .meta({ minLength: min, maxLength: max });
}

/** A whole number in a JSON body. `wrong` is the whole message for any other value, or one below the range. */
export function integer(label: string, { min, max, wrong }: { min: number; max: number; wrong: string }) {
  return z
    .number({ error: (issue) => (isMissing(issue.input) ? `${label} is required` : wrong) })
    .refine(Number.isInteger, { error: wrong, abort: true, ...fieldCode('not_an_integer') })
    .refine((value) => value >= min, {
      error: wrong,
      abort: true,
      ...fieldCode('too_small', { minimum: min }),
    })
    .refine((value) => value <= max, {
      error: `${label} must be at most ${max}`,
      ...fieldCode('too_large', { maximum: max }),
    })
    .meta({ type: 'integer', minimum: min, maximum: max });
}

/** An amount in a JSON body, in major units; parsed to minor units. */
export function amount(label: string, money: Money) {
  const wrong = `${label} must be a positive number`;
  return z
    .number({ error: (issue) => (isMissing(issue.input) ? `${label} is required` : wrong) })
    .refine((value) => value >= 0, { error: wrong, abort: true, ...fieldCode('too_small', { minimum: 0 }) })
    .transform((value, context) => toMinor(label, value, money, context))
    .meta({
      minimum: 0,
      maximum: money.toMajor(MAX_PRICE),
      description: `In major units of the currency, with at most ${money.decimals} decimals (${money.currency}).`,
    });
}

/** An amount in a query string, in major units; parsed to minor units. */
export function amountQuery(label: string, money: Money) {
  return z
    .string()
    .refine((value) => /^\d{1,15}(\.\d{1,4})?$/.test(value), {
      error: `${label} must be a positive number`,
      abort: true,
      ...fieldCode('not_a_number', { minimum: 0 }),
    })
    .transform((value, context) => toMinor(label, Number(value), money, context))
    .meta({ type: 'number', minimum: 0, maximum: money.toMajor(MAX_PRICE) });
}

function toMinor(label: string, value: number, money: Money, context: z.RefinementCtx): number {
  const maximum = money.toMajor(MAX_PRICE);
  const refuse = (code: FieldCode, bound: number, message: string) => {
    context.addIssue({ code: 'custom', message, ...fieldCode(code, { maximum: bound }) });
    return z.NEVER;
  };
  if (value > maximum) return refuse('too_large', maximum, `${label} must be at most ${maximum}`);
  const tooFine = `${label} must have at most ${money.decimals} decimals`;
  return money.toMinor(value) ?? refuse('too_many_decimals', money.decimals, tooFine);
}

/** A whole number in a query string or path: digits only, so that `1e3`, `0x10` and an empty value are refused. */
export function integerQuery(label: string, { min, max }: { min: number; max: number }) {
  const wrong = `${label} must be a whole number from ${min} to ${max}`;
  return z
    .string({ error: wrong })
    .refine((value) => /^\d{1,16}$/.test(value), {
      error: wrong,
      abort: true,
      ...fieldCode('not_an_integer', { minimum: min, maximum: max }),
    })
    .transform(Number)
    .refine((value) => value >= min && value <= max, {
      error: wrong,
      ...fieldCode('out_of_range', { minimum: min, maximum: max }),
    })
    .meta({ type: 'integer', minimum: min, maximum: max });
}

/** `:id` of a path: a positive int32. */
export const idParams = z.strictObject({
  id: integerQuery('Id', { min: 1, max: INT32_MAX }).meta({ description: 'Id.', example: 1 }),
});

/** An id in responses. */
export const id = (description: string) =>
  z.int().meta({ description, minimum: 1, maximum: INT32_MAX, examples: [1] });

/** A text in responses. */
export const textOf = (description: string, maxLength: number, example: string) =>
  z.string().meta({ description, maxLength, examples: [example] });

/** A count in responses. */
export const count = (description: string, example = 1) =>
  z.int().meta({ description, minimum: 0, examples: [example] });

/** The human-readable message of a response. */
export const message = (example: string) =>
  z.string().meta({ description: 'What was done, for people.', maxLength: 200, examples: [example] });

/** `true` or `false` in a query string. */
export function booleanQuery(label: string) {
  return z
    .enum(['true', 'false'], { error: `${label} must be true or false` })
    .transform((value) => value === 'true')
    .meta({ type: 'boolean', enum: undefined });
}

const LAST_MILLISECOND_OF_DAY = 24 * 60 * 60 * 1000 - 1;

/**
 * An instant in a query string: an ISO 8601 time with its zone, or a date in UTC.
 * @param dayEdge which instant a date stands for; `end` makes a range include its last day
 */
export function instantQuery(label: string, dayEdge: 'start' | 'end' = 'start') {
  const error = `${label} must be an ISO 8601 date or time`;
  const ofDay = dayEdge === 'start' ? 0 : LAST_MILLISECOND_OF_DAY;
  const date = z.iso.date().transform((value) => new Date(Date.parse(value) + ofDay));
  const time = z.iso.datetime({ offset: true }).transform((value) => new Date(value));
  const either = z.union([time, date]);
  return z
    .string()
    .transform((value, context) => {
      const instant = either.safeParse(value).data;
      // Postgres has no year 0.
      if (instant !== undefined && instant.getUTCFullYear() >= 1) return instant;
      context.addIssue({ code: 'custom', message: error, ...fieldCode('not_a_time') });
      return z.NEVER;
    })
    .meta({ type: undefined, anyOf: ['date-time', 'date'].map((format) => ({ type: 'string', format })) });
}

/** `from` and `to` of a list: times, or dates that include their whole day. Refine with `inOrder`. */
export const rangeQuery = () => ({
  from: instantQuery('from')
    .optional()
    .meta({ description: 'Not before: an ISO 8601 time with its zone, or a date (UTC).' }),
  to: instantQuery('to', 'end').optional().meta({
    description: 'Not after: an ISO 8601 time with its zone, or a date, which is included as a whole (UTC).',
  }),
});

/** For `refine`: `from` is not after `to`. */
export const inOrder = [
  ({ from, to }: { from?: Date | undefined; to?: Date | undefined }) =>
    from === undefined || to === undefined || from <= to,
  { error: 'from must not be after to', path: ['from'] as PropertyKey[], ...fieldCode('not_in_order') },
] as const;

/** An instant in responses: ISO 8601 UTC. Takes a Date or a text that already is one. */
export const instant = z
  .union([z.date(), z.string()])
  .transform((value) => (typeof value === 'string' ? value : value.toISOString()))
  .meta({ type: 'string', format: 'date-time', examples: ['2026-11-26T10:15:00.000Z'] });

export const instantOf = (description: string) => instant.meta({ description });
