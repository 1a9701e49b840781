import { json, type RequestHandler } from 'express';
import { RequestTimedOut } from '../errors/http-errors.ts';

const parse = json({ limit: '100kb', strict: true });
/** How long a client may take for its whole body, in milliseconds. */
const TIME_LIMIT = 15_000;

/** `application/json` up to 100 kB (the HTTP contract); other bodies stay unread and are refused by the checks. */
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
