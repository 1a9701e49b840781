export type * from './api.types.ts';
export { etagOf, type FileBody, newIdempotencyKey } from './calls.ts';
export { type ErrorCode, ShopError } from './errors.ts';
export type { FileType, ImportOptions } from './files.ts';
export { formatMoney } from './money.ts';
export type { RetryOptions } from './retries.ts';
export { createShop, type Shop, type ShopOptions } from './shop.ts';
export { localStorageTokens, memoryTokens, type StoredTokens, type TokenStore } from './tokens.ts';
export type * from './types.ts';
