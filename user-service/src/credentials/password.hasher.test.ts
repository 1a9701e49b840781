import { describe, expect, test } from '@jest/globals';
import bcrypt from 'bcrypt';
import { createPasswordHasher, nobodysHash } from './password.hasher.ts';

const hasherWith = (cost: number, pepper = 'pepper') => createPasswordHasher({ pepper, cost });

describe('the password hasher', () => {
  test('distinguishes right from wrong, also beyond the 72 bytes of bcrypt', async () => {
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
    const hash = await hasherWith(5).hash('password');
    expect(hasherWith(5).isOutdated(hash)).toBe(false);
    expect(hasherWith(6).isOutdated(hash)).toBe(true);
    expect(hasherWith(4).isOutdated(hash)).toBe(false);
  });

  test.each([
    ['raised', 4, 10],
    ['lowered', 10, 4],
  ])(
    'works as long as the costliest hash, for a wrong password and for an unknown account, after the cost was %s',
    async (_how, before, after) => {
      const old = await hasherWith(before).hash('password');
      const hasher = hasherWith(after);
      hasher.expectCost(before);
      const fresh = await hasher.hash('password');
      const workOf = async (check: () => Promise<boolean>) => {
        const work = [];
        for (let i = 0; i < 7; i += 1) {
          const start = process.cpuUsage();
          expect(await check()).toBe(false);
          work.push(process.cpuUsage(start).user);
        }
        return work.sort((a, b) => a - b)[3] ?? 0;
      };
      const highest = await workOf(() => bcrypt.compare('wrong', nobodysHash(10)));
      for (const hash of [undefined, old, fresh]) {
        const work = await workOf(() => hasher.verify('wrong', hash));
        expect(work / highest).toBeGreaterThan(0.6);
        expect(work / highest).toBeLessThan(1.67);
      }
    },
  );

  test('learns of a higher cost from the first hash of it', async () => {
    const hasher = hasherWith(4);
    await hasher.verify('wrong', nobodysHash(11));
    const start = process.cpuUsage();
    await hasher.verify('wrong', undefined);
    const unknown = process.cpuUsage(start).user;
    const next = process.cpuUsage();
    await bcrypt.compare('wrong', nobodysHash(9));
    expect(unknown).toBeGreaterThan(process.cpuUsage(next).user);
  });

  test('does no more than compare the hash of a right password', async () => {
    const hasher = hasherWith(4);
    const hash = await hasher.hash('password');
    hasher.expectCost(11);
    const start = process.cpuUsage();
    expect(await hasher.verify('password', hash)).toBe(true);
    const right = process.cpuUsage(start).user;
    const next = process.cpuUsage();
    await bcrypt.compare('wrong', nobodysHash(9));
    expect(right).toBeLessThan(process.cpuUsage(next).user);
  });

  test('says no to everything where there is no hash', async () => {
    await expect(hasherWith(4).verify('password', undefined)).resolves.toBe(false);
  });

  test('does as much work for an unknown account as for a known one', async () => {
    const hash = nobodysHash(9);
    expect(hash).toHaveLength(60);
    expect(bcrypt.getRounds(hash)).toBe(9);
    // With a malformed salt bcrypt would return at once; this one is well-formed.
    const salt = hash.slice(0, 29);
    expect((await bcrypt.hash('anything', salt)).startsWith(salt)).toBe(true);
  });
});
