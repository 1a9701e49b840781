import { json, type RequestHandler } from 'express';
import { RequestTimedOut } from '../errors/http-errors.ts';

const parse = json({ limit: '100kb', strict: true });
/** Milliseconds that a client may take to send the whole body. */
const TIME_LIMIT = 15_000;

/** Reads `application/json` up to 100 kB (docs/http-api.md). Other bodies stay unread, and validation refuses them. */
export function createJsonReader(timeLimit = TIME_LIMIT): RequestHandler {
  return (request, response, next) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      next(new RequestTimedOut());
    }, timeLimit);
    parse(request, response, (error) => {
      if (isLate) return;
      clearTimeout(timer);
      next(error);
    });
  };
}
