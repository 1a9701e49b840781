import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Express, Request, RequestHandler, Response } from 'express';
import { asRequest } from '../deadline/deadline.ts';
import { MethodNotAllowed } from '../errors/http-errors.ts';
import { spanOfRequest } from '../tracing/entry.spans.ts';
import { inSpan, type Tracer } from '../tracing/span.ts';
import type { Authenticator } from './authenticate.ts';
import { openBodyStream } from './body-stream.ts';
import type { Route } from './define-route.ts';
import { endOfTurn } from './end-of-turn.ts';
import { createRequestParser } from './parse-request.ts';
import { endByError } from './problem.ts';
import { createJsonReader } from './read-json.ts';
import { isReply, type Reply } from './reply.ts';
import { contextOf, type RequestContext } from './request-context.ts';
import { checkDeadlineHeader, timeLimitOf } from './request-deadline.ts';

interface MountOptions {
  authenticate: Authenticator;
  rateLimit: (name: string) => RequestHandler | undefined;
  /** Multiplies the time limits of requests. */
  timeLimitFactor: number;
  tracer: Tracer | undefined;
}

const readJson = createJsonReader();
const JSON_TYPE = 'application/json; charset=utf-8';

/** Mounts each route: authentication, then rate limit, validation and handler. Other methods of a path get 405. */
export function mountRoutes(app: Express, routes: Route[], options: MountOptions): void {
  app.locals['routes'] = routes;
  for (const [path, group] of byPath(routes)) {
    // One for all methods, so that a request is matched against each path once.
    const mounted = app.route(path);
    for (const route of group) mounted[route.method](...stepsOf(route, options));
    const allowed = group.flatMap(({ method }) =>
      method === 'get' ? ['GET', 'HEAD'] : method.toUpperCase(),
    );
    mounted.all(refuseMethod(allowed));
  }
}

/** The declared routes of an app, for tests that cover all of them. */
export const declaredRoutes = (app: Express) => app.locals['routes'] as readonly Route[];

/** The API document of this app, for tests and tools. */
export const documentOf = (app: Express) => app.locals['openapi'] as Record<string, unknown>;

/** To be mounted after the allowed methods. */
export function refuseMethod(allowed: string[]): RequestHandler {
  return () => {
    throw new MethodNotAllowed(allowed);
  };
}

/** Fixed paths first, in any order of declaration: `/users/me` never matches `/users/:id`, whatever the method. */
function byPath(routes: Route[]): [string, Route[]][] {
  const groups = new Map<string, Route[]>();
  for (const route of routes) groups.set(route.path, [...(groups.get(route.path) ?? []), route]);
  const isFixed = ([path]: [string, Route[]]) => !path.includes(':');
  const all = [...groups];
  return [...all.filter(isFixed), ...all.filter((group) => !isFixed(group))];
}

function stepsOf(
  route: Route,
  { authenticate, rateLimit, timeLimitFactor, tracer }: MountOptions,
): RequestHandler[] {
  const limit = route.limit === false ? undefined : rateLimit(route.limit);
  const steps: RequestHandler[] = [
    (request, response, next) => {
      const context = contextOf(response);
      context.route = route.path;
      context.isPolled = route.isPolled === true;
      context.span = spanOfRequest(tracer, route, request.headers);
      const enter = (principal: RequestContext['principal']) => {
        context.principal = principal;
        checkDeadlineHeader(request, context);
        next();
      };
      const principal = authenticate(route.who, request);
      return principal instanceof Promise ? principal.then(enter) : enter(principal);
    },
  ];
  if (limit !== undefined) steps.push(limit);
  if (route.body !== undefined) steps.push(readJson);
  const parse = createRequestParser(route);
  const handle = (request: Request, response: Response) =>
    asRequest(
      timeLimitOf(route, request, contextOf(response), timeLimitFactor),
      (error) => endByError(error, request, response),
      () => received(route, parse, request, response),
    );
  steps.push((request, response) => inSpan(contextOf(response).span, () => handle(request, response)));
  return steps;
}

type Parse = ReturnType<typeof createRequestParser>;

async function received(route: Route, parse: Parse, request: Request, response: Response): Promise<void> {
  const context = contextOf(response);
  const parsed = parse(request);
  const stream = route.stream && openBodyStream(route.stream, request, response);
  const result = await route.handler({ ...parsed, stream, user: context.principal, caller: context });
  await send(route, request, response, isReply(result) ? result : { headers: {}, json: result });
}

type Result = Omit<Reply<unknown>, symbol>;

async function send(route: Route, request: Request, response: Response, plain: Result): Promise<void> {
  const ifNoneMatch = route.method === 'get' ? request.headers['if-none-match'] : undefined;
  const isKnown = (etag: string | undefined) => etag !== undefined && matches(ifNoneMatch, etag);
  // Before any header is set: if the response does not match its schema, the 500 must not carry them.
  const made = isKnown(plain.etag) ? undefined : bytesOf(route, plain);
  const reply =
    route.conditional && plain.etag === undefined && typeof made === 'string'
      ? { ...plain, etag: etagOf(made) }
      : plain;
  const bytes = isKnown(reply.etag) ? undefined : made;
  if (bytes instanceof Readable) await firstBytesOf(bytes);
  response.status(isKnown(reply.etag) ? 304 : (reply.status ?? route.status));
  setHeaders(route, reply, response);
  if (bytes !== undefined) response.setHeader('Content-Type', reply.contentType ?? JSON_TYPE);
  else if (reply.bytes instanceof Readable) reply.bytes.destroy();
  if (bytes instanceof Readable) await sendStream(bytes, response);
  else {
    if (bytes !== undefined) response.setHeader('Content-Length', Buffer.byteLength(bytes));
    await endOfTurn();
    response.end(bytes);
  }
}

function setHeaders(route: Route, reply: Result, response: Response): void {
  response.setHeader('Cache-Control', cacheControlOf(route));
  for (const [name, value] of Object.entries(reply.headers)) response.setHeader(name, value);
  if (reply.etag !== undefined) response.setHeader('ETag', reply.etag);
}

/** Conditional responses may be stored by the client, which revalidates them each time. */
function cacheControlOf({ method, who, conditional }: Route): string {
  if (method !== 'get') return 'no-store';
  if (who === 'anyone') return 'no-cache';
  return conditional ? 'private, no-cache' : 'no-store';
}

function bytesOf(route: Route, reply: Result): Reply<unknown>['bytes'] {
  if (reply.bytes !== undefined) return reply.bytes;
  return route.response === undefined ? undefined : JSON.stringify(route.response.parse(reply.json));
}

/** Waits until a stream has data, so that a source that fails immediately leads to an error response. */
async function firstBytesOf(source: Readable): Promise<void> {
  if (source.readableLength > 0 || source.readableEnded || source.destroyed) return;
  await new Promise<void>((resolve, reject) => {
    source.once('readable', resolve).once('close', resolve).once('error', reject);
  });
}

/** Milliseconds after which a client that reads nothing of a streamed response is cut off. */
const READ_TIMEOUT = 60_000;

/** If the source fails midway, the connection is cut. A client that disconnects closes the source; this is no error. */
async function sendStream(source: Readable, response: Response): Promise<void> {
  response.setTimeout(READ_TIMEOUT);
  await pipeline(source, response).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  });
}

/** RFC 9110, 13.1.2: a list of tags or `*`, compared weakly. */
export function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const bare = (tag: string) => tag.trim().replace(/^W\//, '');
  return header.trim() === '*' || header.split(',').some((tag) => bare(tag) === bare(etag));
}

/** An ETag that changes with the bytes. */
export function etagOf(bytes: string | Buffer): string {
  return `"${createHash('sha1').update(bytes).digest('base64url')}"`;
}
