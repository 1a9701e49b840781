import type { PrismaClient } from '../../src/generated/prisma/client.ts';

type RunQuery = () => Promise<unknown>;

/** The same database, with each raw statement going through `around`. */
function watched(db: PrismaClient, around: (run: RunQuery) => Promise<unknown>): PrismaClient {
  return new Proxy(db, {
    get: (target, name) =>
      name === '$queryRaw'
        ? (...args: Parameters<PrismaClient['$queryRaw']>) => around(() => target.$queryRaw(...args))
        : Reflect.get(target, name),
  });
}

/** A database that counts the statements it is asked. */
export function createCountedDatabase() {
  let statements = 0;
  return {
    wrap: (db: PrismaClient) =>
      watched(db, (run) => {
        statements += 1;
        return run();
      }),
    count: () => statements,
  };
}

/** A database whose rows arrive late: what they say may be old by then. */
export function createSlowDatabase() {
  const held = signal();
  const released = signal();
  return {
    wrap: (db: PrismaClient) =>
      watched(db, async (run) => {
        const rows = await run();
        held.give();
        await released.given;
        return rows;
      }),
    /** Resolves when a statement has been answered and its rows are held back. */
    held: held.given,
    /** Lets all held rows go on. */
    release: () => released.give(),
  };
}

/** Something that a test waits for. */
export function signal() {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give: () => give() };
}
