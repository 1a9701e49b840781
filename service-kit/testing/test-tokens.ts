import { randomUUID } from 'node:crypto';
import { signAccessToken } from '../src/tokens/access-token.ts';
import { secretKey } from '../src/tokens/token-keys.ts';

export const TEST_JWT_SECRET = 'a-secret-of-the-tests-that-is-long-enough';
export const TEST_SERVICE_SECRET = 'a-service-secret-of-the-tests-long-enough';

const testKey = secretKey(TEST_JWT_SECRET);

/** Value of an `Authorization` header for a user who need not exist. */
export function bearer(
  id: number,
  role: 'customer' | 'admin' = 'customer',
  sessionId: string = randomUUID(),
): string {
  return `Bearer ${signAccessToken({ id, role, sessionId }, testKey, 3600)}`;
}
