import { describe, expect, test } from '@jest/globals';
import { createHashQueue } from './hash-queue.ts';
import { createPasswordHasher, hasherOf } from './password.hasher.ts';

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

  test('does as much work for nobody as for somebody', async () => {
    const hasher = hasherWith(9);
    const hash = await hasher.hash('password');
    const timeOf = async (known: string | undefined) => {
      const startedAt = performance.now();
      await expect(hasher.verify('wrong', known)).resolves.toBe(false);
      return performance.now() - startedAt;
    };
    const [known, unknown]: [number[], number[]] = [[], []];
    for (let i = 0; i < 15; i += 1) {
      known.push(await timeOf(hash));
      unknown.push(await timeOf(undefined));
    }
    // The fastest of many is what the work takes when nothing else disturbs it.
    const ratio = Math.min(...unknown) / Math.min(...known);
    expect(ratio).toBeGreaterThan(0.8);
    expect(ratio).toBeLessThan(1.25);
  });

  test('works with a single thread too', async () => {
    const hasher = hasherOf({ PASSWORD_PEPPER: 'pepper', BCRYPT_COST: 4, UV_THREADPOOL_SIZE: 1 });
    await expect(hasher.verify('password', await hasher.hash('password'))).resolves.toBe(true);
  });
});
