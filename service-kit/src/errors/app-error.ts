import type { z } from 'zod';

/** At most this many refused fields are listed (docs/http-api.md, "Errors"). */
export const MAX_ISSUES = 20;

/** The problems of a field. Stable, so that clients can translate them. */
export const FIELD_CODES = [
  'required',
  'unknown_field',
  'not_a_string',
  'not_a_number',
  'not_an_integer',
  'not_a_boolean',
  'not_an_object',
  'not_a_list',
  'not_a_time',
  'not_a_url',
  'not_a_uuid',
  'not_allowed',
  'invalid_characters',
  'too_short',
  'too_long',
  'too_small',
  'too_large',
  'out_of_range',
  'not_in_order',
  'too_many_decimals',
  'invalid_email',
  'too_common',
  'too_personal',
  'invalid',
] as const;
export type FieldCode = (typeof FIELD_CODES)[number];

/** One refused field of a request, as listed in `details` of a problem document. */
export interface FieldIssue {
  path: string;
  code: FieldCode;
  message: string;
  /** The violated bounds: of the value, its length or its number of decimals. */
  minimum?: number;
  maximum?: number;
}

export interface ErrorExtras {
  /** Further members of the problem document, such as `details` or a fresh quote. */
  members?: Record<string, unknown>;
  /** Further response headers, such as `Retry-After`. */
  headers?: Record<string, string>;
}

/** An expected failure and its response. Everything else that is thrown becomes a 500. */
export class AppError extends Error {
  readonly status: number;
  readonly code: string;
  readonly members: Record<string, unknown>;
  readonly headers: Record<string, string>;

  constructor(status: number, code: string, detail: string, extras: ErrorExtras = {}, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = code;
    this.status = status;
    this.code = code;
    this.members = extras.members ?? {};
    this.headers = extras.headers ?? {};
  }
}

/** A class made by `defineError`; its statics let a route declare its failures for the OpenAPI document. */
export interface ErrorClass<Args extends unknown[] = never[]> {
  readonly status: number;
  readonly code: string;
  /** Schema of its further members. */
  readonly members?: z.ZodType | undefined;
  /** An example, for the API document. */
  sample(): AppError;
  new (...args: Args): AppError;
}

export interface ErrorDocs<Args> {
  /** Constructor arguments of the example in the API document; none if left out. */
  sample?: Args;
  /** Schema of the further members of its problem document. */
  members?: z.ZodType;
}

/**
 * One class for one expected failure: `throw new ProductNotFound()`.
 * @param status HTTP status
 * @param code stable snake_case code that clients switch on
 * @param detail the sentence shown to people, fixed or made from the constructor's arguments
 * @param extras problem members and headers made from the constructor's arguments
 * @param docs its description in the API document
 */
export function defineError<Args extends unknown[] = []>(
  status: number,
  code: string,
  detail: string | ((...args: Args) => string),
  extras?: (...args: Args) => ErrorExtras,
  docs: ErrorDocs<Args> = {},
): ErrorClass<Args> {
  return class extends AppError {
    static readonly status = status;
    static readonly code = code;
    static readonly members = docs.members;
    static sample = (): AppError => new this(...(docs.sample ?? ([] as unknown[] as Args)));

    constructor(...args: Args) {
      super(status, code, typeof detail === 'string' ? detail : detail(...args), extras?.(...args));
    }
  };
}
