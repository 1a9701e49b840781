import type { Logger } from 'pino';
import type { z } from 'zod';
import type { AppError } from '../errors/app-error.ts';
import type { BodyStream, StreamRules } from './body-stream.ts';
import type { ResponseHeader } from './openapi.headers.ts';
import type { Reply } from './reply.ts';
import type { Service, User } from './request-context.ts';
import type { Patience } from './request-deadline.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** Who may call: `anyone`, a signed-in `user`, an `admin`, or another `service` of the deployment. */
export type Who = 'anyone' | 'user' | 'admin' | 'service';

/** Whoever was let in: `anyone` may be signed in, and is limited as that user then. */
type PrincipalOf<W extends Who> = W extends 'service'
  ? Service
  : W extends 'anyone'
    ? User | undefined
    : User;

type Parsed<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;
type Schema = z.ZodType | undefined;

/** What a handler may know of the call itself. */
export interface Caller {
  readonly requestId: string;
  readonly log: Logger;
  /** The client's, past the proxies that are trusted. */
  readonly address: string;
  readonly userAgent: string | undefined;
}

export interface RouteInput<
  W extends Who,
  P extends Schema,
  Q extends Schema,
  B extends Schema,
  H extends Schema,
  S extends StreamRules | undefined,
> {
  params: Parsed<P>;
  query: Parsed<Q>;
  body: Parsed<B>;
  headers: Parsed<H>;
  stream: S extends StreamRules ? BodyStream : undefined;
  user: PrincipalOf<W>;
  caller: Caller;
}

/** An error class, as far as a declaration needs it. */
export interface DeclaredError {
  readonly status: number;
  readonly code: string;
  readonly members?: z.ZodType | undefined;
  sample?(): AppError;
}

export interface RouteSpec<
  W extends Who,
  P extends Schema,
  Q extends Schema,
  B extends Schema,
  H extends Schema,
  A extends Schema,
  S extends StreamRules | undefined,
> {
  method: Method;
  /** Express path with `:name` parameters; each must be in `params`. */
  path: string;
  /** Name of the method in generated clients: camelCase, a verb and a noun, unique over all services. */
  operationId?: string;
  /** The group that the API document lists it in. */
  tag?: string;
  /** One line for the API document. */
  summary: string;
  /** What the summary leaves out, in Markdown. */
  description?: string;
  who: W;
  /** Where being signed in is not enough: who else is refused by the use-case, in words for the API document. */
  only?: string;
  /** Name of one of the service's limits, or false for calls that are not limited. */
  limit: string | false;
  /** What the request may take: `usual` (2 s), `password` (12 s), or a limit for each of its `steps`, as streams have. */
  patience?: Patience;
  params?: P;
  /** Checked after repeated and unknown parameters were refused. */
  query?: Q;
  /** JSON body. A missing body is checked as `{}`, so that all missing fields are told at once. */
  body?: B;
  /** Instead of `body`: bytes of other media types, read as they come. */
  stream?: S;
  /** Request headers by lower-case name. */
  headers?: H;
  /** Status of the good response. */
  status: number;
  /** What leaves the service: fields that the schema does not name are dropped. */
  response?: A;
  /** A GET that carries an ETag of its bytes, and returns 304 to a client that has them. */
  conditional?: true;
  /** Media types of a response that is made of bytes, for the API document: each with schema and example. */
  responseTypes?: Readonly<Record<string, object>>;
  /** What a good response means, where its status does not say. */
  responseDescription?: string;
  /** Headers of the good response besides `ETag` and those of rate limits, which are known. */
  responseHeaders?: readonly ResponseHeader[];
  /** The expected failures of the use-case, for the API document. */
  errors?: readonly DeclaredError[];
  /** Headers that failures may have besides those of their class, with the statuses of these failures. */
  problemHeaders?: Readonly<Partial<Record<ResponseHeader, readonly number[]>>>;
  /** Members that any problem document of this route may have besides its own. */
  problemMembers?: z.ZodType;
  handler(input: RouteInput<W, P, Q, B, H, S>): Promise<RouteResult<A>> | RouteResult<A>;
}

type RouteResult<A extends Schema> = A extends z.ZodType
  ? z.input<A> | Reply<z.input<A>> | Reply<never>
  : undefined | Reply<never>;

/** A route as the kit mounts and documents it, its handler's types already checked by `defineRoute`. */
export interface Route
  extends Omit<RouteSpec<Who, Schema, Schema, Schema, Schema, Schema, StreamRules | undefined>, 'handler'> {
  handler(input: unknown): unknown;
}

/**
 * One declaration of one HTTP call: validation, types of the handler, authentication, rate limit and
 * OpenAPI all come from it.
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
