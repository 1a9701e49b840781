import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createServiceTokenSigner, createServiceTokenVerifier } from './service-token.ts';

const SECRET = 'a-service-secret-of-the-tests-long-enough';

describe('a service token', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('is reused for half of its lifetime, and refused after its expiry plus the clock tolerance', () => {
    const sign = createServiceTokenSigner(SECRET, 'order-service', 'product-service');
    const { verify } = createServiceTokenVerifier(SECRET, 'product-service');
    const first = sign();
    jest.advanceTimersByTime(29_000);
    expect(sign()).toBe(first);
    jest.advanceTimersByTime(2000);
    const second = sign();
    expect(second).not.toBe(first);
    expect(verify(first)).toEqual({ kind: 'service', name: 'order-service' });
    jest.advanceTimersByTime(88_000);
    expect(verify(first)).toEqual({ kind: 'service', name: 'order-service' });
    jest.advanceTimersByTime(2000);
    expect(verify(first)).toBeUndefined();
    expect(verify(second)).toEqual({ kind: 'service', name: 'order-service' });
  });

  test.each([-60, 60])('is accepted while the clocks differ by %i s', (seconds) => {
    const sign = createServiceTokenSigner(SECRET, 'order-service', 'product-service');
    const { verify } = createServiceTokenVerifier(SECRET, 'product-service');
    sign();
    jest.advanceTimersByTime(29_000);
    const token = sign();
    jest.setSystemTime(Date.now() + seconds * 1000);
    expect(verify(token)).toEqual({ kind: 'service', name: 'order-service' });
  });
});
