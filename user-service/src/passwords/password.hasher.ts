import { createHmac } from 'node:crypto';
import { availableParallelism } from 'node:os';
import bcrypt from 'bcrypt';
import { createHashQueue, type HashQueue } from './hash-queue.ts';

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /** Without a hash it does the same work and answers false. */
  verify(password: string, hash: string | undefined): Promise<boolean>;
  /** Whether the hash was made at a lower cost than now asked for. */
  isOutdated(hash: string): boolean;
}

interface PasswordHasherOptions {
  /** Mixed into every password. Changing it makes all passwords wrong. */
  pepper: string;
  /** bcrypt's: one more doubles the work. */
  cost: number;
  queue: HashQueue;
}

/** The form of a hash of this cost, which bcrypt works on as on any other; nobody knows a password for it. */
export const nobodysHash = (cost: number) => `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;

/** bcrypt reads 72 bytes and stops at NUL: the pre-hash makes 64 harmless ones of any password. */
export function createPasswordHasher({ pepper, cost, queue }: PasswordHasherOptions): PasswordHasher {
  const preHash = (password: string) => createHmac('sha384', pepper).update(password).digest('base64');
  return {
    hash: (password) => queue.run(() => bcrypt.hash(preHash(password), cost)),
    async verify(password, hash) {
      const matches = await queue.run(() => bcrypt.compare(preHash(password), hash ?? nobodysHash(cost)));
      return matches && hash !== undefined;
    },
    isOutdated: (hash) => bcrypt.getRounds(hash) < cost,
  };
}

/**
 * The hasher of a process: one core and one thread of libuv's pool stay free for everything else.
 * @param config `UV_THREADPOOL_SIZE` as libuv reads it
 */
export function hasherOf(config: {
  PASSWORD_PEPPER: string;
  BCRYPT_COST: number;
  UV_THREADPOOL_SIZE: number;
}) {
  const atOnce = Math.max(1, Math.min(availableParallelism(), config.UV_THREADPOOL_SIZE) - 1);
  const queue = createHashQueue({ atOnce });
  return createPasswordHasher({ pepper: config.PASSWORD_PEPPER, cost: config.BCRYPT_COST, queue });
}
