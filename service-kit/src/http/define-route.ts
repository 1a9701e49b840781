import type { Logger } from 'pino';
import type { z } from 'zod';
import type { ErrorClass } from '../errors/app-error.ts';
import type { BodyStream, StreamRules } from './body-stream.ts';
import type { ResponseHeader } from './openapi.headers.ts';
import type { Service, User } from './principal.ts';
import type { Reply } from './reply.ts';

/** Who may call: `anyone`, a signed-in `user`, an `admin`, or another `service` of the deployment. */
export type Who = 'anyone' | 'user' | 'admin' | 'service';

/** The admitted caller. On a route for `anyone` the caller may be signed in, and is then limited as that user. */
type PrincipalOf<W extends Who> = W extends 'service'
  ? Service
  : W extends 'anyone'
    ? User | undefined
    : User;

/** How long the work of a request may take: 2 s, 12 s, or a limit for each step. */
export type TimeLimit = 'usual' | 'password' | 'steps';

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;
type Schema = z.ZodType | undefined;

/** What a handler may know about the call itself. */
export interface Caller {
  readonly requestId: string;
  readonly log: Logger;
  /** The client's address, behind the trusted proxies. */
  readonly address: string;
  readonly userAgent: string | undefined;
  /** Adds fields to the log line of this request, such as the id of the created resource. */
  note(fields: Record<string, unknown>): void;
}

/** An error class, as far as a declaration needs it. */
export type DeclaredError = Pick<ErrorClass, 'status' | 'code' | 'members' | 'sample'>;

interface RouteSpec<
  W extends Who,
  P extends Schema,
  Q extends Schema,
  B extends Schema,
  H extends Schema,
  A extends Schema,
  S extends StreamRules | undefined,
> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Express path with `:name` parameters; each must be in `params`. */
  path: string;
  /** Name of the method in generated clients: camelCase, a verb and a noun, unique over all services. */
  operationId?: string;
  /** Its group in the API document. */
  tag?: string;
  /** One line for the API document. */
  summary: string;
  /** Details beyond the summary, in Markdown. */
  description?: string;
  who: W;
  /** If signing in is not enough: which users the use-case admits, in words for the API document. */
  only?: string;
  /** Name of one of the service's rate limits, or false for none. */
  limit: string | false;
  /** Other services call it all the time: only its failures are logged. */
  isPolled?: true;
  /** Time limit: `usual` (2 s), `password` (12 s), or `steps` for a limit on each step, as streams need. */
  timeLimit?: TimeLimit;
  params?: P;
  /** Query parameters; repeated and unknown ones are refused before this check. */
  query?: Q;
  /** JSON body. A missing body is checked as `{}`, so that all missing fields are reported together. */
  body?: B;
  /** Instead of `body`: bytes of other media types, read as a stream. */
  stream?: S;
  /** Request headers by lower-case name. */
  headers?: H;
  /** Status of a successful response. */
  status: number;
  /** Schema of a successful response: fields that it does not name are dropped. */
  response?: A;
  /** For a GET: sets an ETag of the bytes, and returns 304 to a client that has them. */
  conditional?: true;
  /** Media types of a response that is not JSON, for the API document: each with schema and example. */
  responseTypes?: Readonly<Record<string, object>>;
  /** Meaning of a successful response, if the status does not say it. */
  responseDescription?: string;
  /** Headers of a successful response other than `ETag` and those of rate limits, which are documented anyway. */
  responseHeaders?: readonly ResponseHeader[];
  /** The expected failures of the use-case, for the API document. */
  errors?: readonly DeclaredError[];
  /** Headers that failures may have in addition to those of their class, with the statuses of these failures. */
  problemHeaders?: Readonly<Partial<Record<ResponseHeader, readonly number[]>>>;
  /** Further members that any problem document of this route may have. */
  problemMembers?: z.ZodType;
  handler(input: {
    params: Parsed<P>;
    query: Parsed<Q>;
    body: Parsed<B>;
    headers: Parsed<H>;
    stream: S extends StreamRules ? BodyStream : undefined;
    user: PrincipalOf<W>;
    caller: Caller;
  }): Promise<RouteResult<A>> | RouteResult<A>;
}

type RouteResult<A extends Schema> = A extends z.ZodType
  ? z.input<A> | Reply<z.input<A>> | Reply<never>
  : undefined | Reply<never>;

/** A route as the kit mounts and documents it; `defineRoute` has checked the types of its handler. */
export interface Route
  extends Omit<RouteSpec<Who, Schema, Schema, Schema, Schema, Schema, StreamRules | undefined>, 'handler'> {
  handler(input: unknown): unknown;
}

/**
 * Declares one HTTP operation: validation, handler types, authentication, rate limit and OpenAPI all derive from this
 * declaration.
 */
export function defineRoute<
  W extends Who,
  P extends Schema = undefined,
  Q extends Schema = undefined,
  B extends Schema = undefined,
  H extends Schema = undefined,
  A extends Schema = undefined,
  S extends StreamRules | undefined = undefined,
>(spec: RouteSpec<W, P, Q, B, H, A, S>): Route {
  return spec as unknown as Route;
}
