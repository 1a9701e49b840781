import { describe, expect, test } from '@jest/globals';
import request from 'supertest';
import type { Checks } from '../src/runtime/health.ts';
import { createTestApp } from './support/test-app.ts';

describe('health', () => {
  const up = async () => 'fine';
  const down = async () => {
    throw new Error('hunter2');
  };
  const ready = (checks: { required?: Checks; optional?: Checks }, isStopping = () => false) => {
    const all = { required: { database: up }, optional: { redis: up }, ...checks };
    return request(createTestApp({ routes: [], checks: all, isStopping }).app).get('/ready');
  };

  test('is healthy while the process runs', async () => {
    const { status, body, headers } = await request(createTestApp({ routes: [] }).app).get('/health');
    expect([status, body]).toEqual([200, { status: 'healthy', service: 'kit-service' }]);
    expect(headers['cache-control']).toBe('no-store');
  });

  test('is ready when every dependency is available', async () => {
    const { status, body } = await ready({});
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'ready', stopping: false, checks: { database: 'ok', redis: 'ok' } });
  });

  test('is degraded, but ready, without an optional dependency', async () => {
    const { status, body, text } = await ready({ optional: { redis: down } });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'degraded', checks: { database: 'ok', redis: 'down' } });
    expect(text).not.toContain('hunter2');
  });

  const throwing = () => {
    throw new Error('immediately');
  };
  const hanging = () => new Promise(() => undefined);
  test.each([
    ['rejects', down],
    ['throws', throwing],
    ['hangs', hanging],
  ])('is not ready when a required check %s', async (_how, check) => {
    const { status, body } = await ready({ required: { database: check } });
    expect(status).toBe(503);
    expect(body).toMatchObject({ status: 'unavailable', checks: { database: 'down', redis: 'ok' } });
  });

  test('is not ready once a stop is requested', async () => {
    const { status, body } = await ready({}, () => true);
    expect(status).toBe(503);
    expect(body).toMatchObject({ status: 'unavailable', stopping: true, checks: { database: 'ok' } });
  });
});
