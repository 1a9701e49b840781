/**
 * The SKUs of one file in 8 bytes each: a 64-bit hash. Among a million SKUs two have the same hash in about one of 37 million
 * files; the second row is then refused as if its SKU appeared twice.
 */
export function createSkuSet() {
  const seeds = [random(), random()] as const;
  let table = new Uint32Array(2 * 1024);
  let size = 0;

  /** @returns false if it is present */
  const put = (low: number, high: number): boolean => {
    const slots = table.length / 2;
    for (let slot = low & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
      if (table[2 * slot] === 0 && table[2 * slot + 1] === 0) {
        table[2 * slot] = low;
        table[2 * slot + 1] = high;
        return true;
      }
      if (table[2 * slot] === low && table[2 * slot + 1] === high) return false;
    }
  };
  const grow = () => {
    const old = table;
    table = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 2) {
      const low = old[at] ?? 0;
      const high = old[at + 1] ?? 0;
      if (low !== 0 || high !== 0) put(low, high);
    }
  };

  return {
    /** @returns false if the SKU was added before */
    add(sku: string): boolean {
      const [low, high] = hash(sku, seeds);
      if (!put(low, high)) return false;
      size += 1;
      if (size * 3 > table.length) grow();
      return true;
    },
  };
}

const random = () => Math.floor(Math.random() * 2 ** 32);

/** MurmurHash3's mixing over two lanes; never two zeros, which mark an empty slot. */
function hash(text: string, [first, second]: readonly [number, number]): [low: number, high: number] {
  let a = first;
  let b = second;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x85eb_ca6b);
    b = Math.imul(b ^ code, 0xc2b2_ae35);
    a ^= a >>> 15;
    b ^= b >>> 13;
  }
  a = Math.imul(a ^ (a >>> 16) ^ b, 0x27d4_eb2f);
  b = Math.imul(b ^ (b >>> 16) ^ a, 0x1656_67b1);
  return [(a ^ (a >>> 15)) >>> 0, ((b ^ (b >>> 16)) | 1) >>> 0];
}
