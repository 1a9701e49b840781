import { describe, expect, test } from '@jest/globals';
import bcrypt from 'bcrypt';
import { createHashQueue } from './hash-queue.ts';
import { createPasswordHasher, hasherOf, nobodysHash } from './password.hasher.ts';

const hasherWith = (cost: number, pepper = 'pepper') =>
  createPasswordHasher({ pepper, cost, queue: createHashQueue({ atOnce: 1 }) });

describe('the password hasher', () => {
  test('tells right from wrong, also behind the 72 bytes of bcrypt', async () => {
    const hasher = hasherWith(4);
    const password = `${'x'.repeat(100)}right`;
    const hash = await hasher.hash(password);
    await expect(hasher.verify(password, hash)).resolves.toBe(true);
    await expect(hasher.verify(`${'x'.repeat(100)}wrong`, hash)).resolves.toBe(false);
  });

  test('hashes of another pepper do not fit', async () => {
    const hash = await hasherWith(4).hash('password');
    await expect(hasherWith(4, 'other').verify('password', hash)).resolves.toBe(false);
  });

  test('knows hashes of a lower cost', async () => {
    const hash = await hasherWith(4).hash('password');
    expect(hasherWith(4).isOutdated(hash)).toBe(false);
    expect(hasherWith(5).isOutdated(hash)).toBe(true);
  });

  test('says no to everything where there is no hash', async () => {
    await expect(hasherWith(4).verify('password', undefined)).resolves.toBe(false);
  });

  test('does as much work for nobody as for somebody', async () => {
    const hash = nobodysHash(9);
    expect(hash).toHaveLength(60);
    expect(bcrypt.getRounds(hash)).toBe(9);
    // To a salt that it does not take bcrypt answers at once; this one it works with.
    const salt = hash.slice(0, 29);
    expect((await bcrypt.hash('anything', salt)).startsWith(salt)).toBe(true);
  });

  test('works with a single thread too', async () => {
    const hasher = hasherOf({ PASSWORD_PEPPER: 'pepper', BCRYPT_COST: 4, UV_THREADPOOL_SIZE: 1 });
    await expect(hasher.verify('password', await hasher.hash('password'))).resolves.toBe(true);
  });
});
