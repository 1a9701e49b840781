import { describe, expect, test } from '@jest/globals';
import { createLogger } from './logger.ts';

function record(level = 'info') {
  const lines: string[] = [];
  const logger = createLogger('kit', level, { write: (line: string) => void lines.push(line) });
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? 'null') };
}

describe('a log line', () => {
  test('is JSON with level, service, time and text', () => {
    const { logger, last } = record();
    logger.warn({ id: 7 }, 'odd');
    expect(last()).toEqual({
      level: 'warn',
      service: 'kit',
      time: expect.stringMatching(/Z$/),
      id: 7,
      msg: 'odd',
    });
  });

  test('is left out below the configured level', () => {
    const { logger, lines } = record('error');
    logger.info('no');
    logger.error('yes');
    expect(lines).toHaveLength(1);
    record('silent').logger.fatal('no');
    expect(createLogger('kit', 'silent').level).toBe('silent');
  });

  test('omits fields with the name of a secret', () => {
    const { logger, lines } = record();
    const secrets = { password: 'hunter2', token: 'hunter2', authorization: 'hunter2', secret: 'hunter2' };
    logger.info({ ...secrets, body: secrets, id: 7 }, 'by mistake');
    expect(lines[0]).not.toContain('hunter2');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ id: 7, body: {} });
  });

  test('describes an error and its causes, without the fields that drivers add', () => {
    const { logger, lines, last } = record();
    const cause = Object.assign(new TypeError('inner'), { config: { auth: 'hunter2' } });
    const error = Object.assign(new Error('outer', { cause }), {
      code: 'E1',
      rows: ['hunter2'],
      config: 'hunter2',
    });
    logger.error({ err: error }, 'failed');
    expect(lines[0]).not.toContain('hunter2');
    expect(last().err).toEqual({
      type: 'Error',
      message: 'outer',
      code: 'E1',
      stack: expect.stringContaining('logger.test'),
      cause: { type: 'TypeError', message: 'inner', stack: expect.any(String) },
    });
  });

  test.each([
    ['text', 'text'],
    [null, 'null'],
    [7, '7'],
  ])('accepts %j as an error', (thrown, message) => {
    const { logger, last } = record();
    logger.error({ err: thrown }, 'failed');
    expect(last().err).toEqual({ message });
  });

  test('copes with an error that is its own cause', () => {
    const { logger, last } = record();
    const error: Error = new Error('round');
    error.cause = error;
    logger.error({ err: error }, 'failed');
    expect(last().err.cause.cause.message).toBe('round');
  });
});
