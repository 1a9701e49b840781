export { etagOf, type FileBody } from './calls.ts';
export { type ErrorCode, ShopError } from './errors.ts';
export { formatMoney } from './money.ts';
export { newIdempotencyKey, type PlaceOptions } from './orders.ts';
export type { FileType, ImportOptions } from './products.ts';
export type { RetryOptions } from './retries.ts';
export { createShop, type Shop, type ShopOptions } from './shop.ts';
export { localStorageTokens, memoryTokens, type StoredTokens, type TokenStore } from './tokens.ts';
export type * from './types.ts';
