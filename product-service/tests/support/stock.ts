import type { TestShop } from './test-shop.ts';

export const stockOf = async ({ db }: TestShop, id: number) =>
  (await db.product.findUniqueOrThrow({ where: { id } })).stock;

/** The ledger of a product as `[delta, reason, actor, stockAfter]`, oldest first. */
export const ledgerOf = async ({ db }: TestShop, productId: number) =>
  (await db.stockMovement.findMany({ where: { productId }, orderBy: { id: 'asc' } })).map((row) => [
    row.delta,
    row.reason,
    row.actor,
    row.stockAfter,
  ]);
