import { STATUS_CODES } from 'node:http';
import type { ErrorRequestHandler, Request, Response } from 'express';
import { AppError } from '../errors/app-error.ts';
import {
  BodyTooLarge,
  JSON_BODY,
  MalformedRequest,
  Unavailable,
  UnsupportedMediaType,
} from '../errors/http-errors.ts';
import { isDatabaseUnavailable } from '../postgres/database-errors.ts';
import { contextOf } from './request-context.ts';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

const INTERNAL = new AppError(500, 'internal', 'Something went wrong on our side');

/** The RFC 9457 document of a failure. `error` repeats `detail` for clients of the original API. */
export function toProblem(error: AppError, requestId: string) {
  return {
    type: `urn:problem-type:${error.code}`,
    title: STATUS_CODES[error.status] ?? 'Error',
    status: error.status,
    detail: error.message,
    code: error.code,
    error: error.message,
    request_id: requestId,
    ...error.members,
  };
}

/** The one place where a failure becomes a response. */
export const sendProblem: ErrorRequestHandler = (thrown, request, response, _next) =>
  endByError(thrown, request, response);

/** Ends a request in any state: with a problem document, or by cutting the connection if a response has started. */
export function endByError(thrown: unknown, request: Request, response: Response): void {
  const { requestId, log } = contextOf(response);
  const error = toAppError(thrown) ?? INTERNAL;
  if (error === INTERNAL) log.error({ err: thrown }, 'request failed');
  else if (error.status >= 500) log.warn({ err: error.cause ?? error }, 'request refused');
  if (response.writableEnded) return;
  if (response.headersSent) {
    request.socket.destroy();
    return;
  }
  response.status(error.status).set(error.headers).set('Cache-Control', 'no-store').type(PROBLEM_TYPE);
  response.end(JSON.stringify(toProblem(error, requestId)));
}

/** The failure as a client may see it; undefined for internal errors. */
export function toAppError(thrown: unknown): AppError | undefined {
  if (thrown instanceof AppError) return thrown;
  if (isDatabaseUnavailable(thrown))
    return Object.assign(new Unavailable('The service cannot reach its database', 1), { cause: thrown });
  return fromHttpFramework(thrown);
}

/**
 * Express and its body parser mark errors that are meant for the client with `expose`. A `status` alone is not enough: an
 * error response of another service has one too.
 */
function fromHttpFramework(thrown: unknown): AppError | undefined {
  if (thrown instanceof URIError) return new MalformedRequest('The address is not valid');
  const { status, type, expose } = (thrown ?? {}) as { status?: unknown; type?: unknown; expose?: unknown };
  if (expose !== true) return undefined;
  if (status === 413) return new BodyTooLarge('100 kB');
  if (status === 415) return new UnsupportedMediaType(JSON_BODY);
  if (type === 'entity.parse.failed') return new MalformedRequest('The body is not valid JSON');
  if (status === 400) return new MalformedRequest('The request cannot be read');
  return undefined;
}
