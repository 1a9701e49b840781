/** Random choices that are reproducible with a seed. */
export interface Random {
  /** From 0 up to but excluding 1. */
  next(): number;
  /** A whole number in the range, including both ends. */
  int(min: number, max: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  shuffle<T>(list: readonly T[]): T[];
  /** An independent generator, so that the number of choices of one actor does not affect another's. */
  fork(): Random;
}

/** mulberry32: 32 bits of state, public domain. */
export function createRandom(seed: number): Random {
  let state = seed | 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const int = (min: number, max: number) => min + Math.floor(next() * (max - min + 1));
  const pick = <T>(from: readonly T[]): T => {
    const index = int(0, from.length - 1);
    if (index >= from.length) throw new Error('nothing to pick from');
    return from[index] as T;
  };
  return {
    next,
    int,
    pick,
    chance: (probability) => next() < probability,
    shuffle(list) {
      const left = [...list];
      return list.map(() => left.splice(int(0, left.length - 1), 1)[0] as (typeof left)[number]);
    },
    fork: () => createRandom(int(0, 0xffffffff)),
  };
}
