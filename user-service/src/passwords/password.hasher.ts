import { createHmac } from 'node:crypto';
import bcrypt from 'bcrypt';

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /**
   * A wrong password takes the same work whatever cost its hash was made at, and so does no hash at all, which is
   * never matched.
   */
  verify(password: string, hash: string | undefined): Promise<boolean>;
  /** Whether the hash was made at a lower cost than now asked for. */
  isOutdated(hash: string): boolean;
  /** There are hashes of this cost: from now on a wrong password takes at least as much work as one of them. */
  expectCost(cost: number): void;
}

interface PasswordHasherOptions {
  /** Mixed into every password. Changing it makes all passwords wrong. */
  pepper: string;
  /** bcrypt's: one more doubles the work. */
  cost: number;
}

/** The form of a hash of this cost, which bcrypt works on as on any other; nobody knows a password for it. */
export const nobodysHash = (cost: number) => `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;

/** bcrypt reads 72 bytes and stops at NUL: the pre-hash makes 64 harmless ones of any password. */
export function createPasswordHasher({ pepper, cost }: PasswordHasherOptions): PasswordHasher {
  const preHash = (password: string) => createHmac('sha384', pepper).update(password).digest('base64');
  let highestCost = cost;
  const expectCost = (seen: number) => {
    highestCost = Math.max(highestCost, seen);
  };
  /** What is missing after a hash of a lower cost: 2^n + 2^n + 2^(n+1) + … + 2^(m-1) is 2^m. */
  const topUp = async (text: string, from: number) => {
    for (let done = from; done < highestCost; done += 1) await bcrypt.compare(text, nobodysHash(done));
  };
  const compare = async (text: string, hash: string) => {
    const matches = await bcrypt.compare(text, hash);
    if (!matches) await topUp(text, bcrypt.getRounds(hash));
    return matches;
  };
  return {
    hash: (password) => bcrypt.hash(preHash(password), cost),
    async verify(password, hash) {
      if (hash !== undefined) expectCost(bcrypt.getRounds(hash));
      const known = hash ?? nobodysHash(highestCost);
      const matches = await compare(preHash(password), known);
      return matches && hash !== undefined;
    },
    isOutdated: (hash) => bcrypt.getRounds(hash) < cost,
    expectCost,
  };
}
