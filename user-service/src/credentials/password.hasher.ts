import { createHmac } from 'node:crypto';
import bcrypt from 'bcrypt';

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /**
   * A wrong password takes the same work whatever the cost of its hash. Without a hash it takes that work too, and
   * nothing matches.
   */
  verify(password: string, hash: string | undefined): Promise<boolean>;
  /** Whether the hash has a lower cost than new ones get. */
  isOutdated(hash: string): boolean;
  /** Reports that hashes of this cost are stored: a wrong password takes at least as much work from now on. */
  expectCost(cost: number): void;
}

interface PasswordHasherOptions {
  /** Mixed into every password. Changing it makes all passwords wrong. */
  pepper: string;
  /** bcrypt's: one more doubles the work. */
  cost: number;
}

/** A well-formed hash of this cost, which takes bcrypt the usual work and which no known password has. */
export const nobodysHash = (cost: number) => `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;

/** bcrypt reads 72 bytes and stops at NUL, so it is given 64 harmless ones made from the password. */
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
