import { computed } from '@preact/signals';
import { stored } from './lib/stored.ts';

export interface BasketLine {
  id: number;
  quantity: number;
  /** Of the product when it was added: for products that are not sold any more. */
  name?: string;
}

/** Limits of an order. */
export const MAX_QUANTITY = 10_000;
const MAX_LINES = 100;

/** In the order in which products were added. */
export const basket = stored<BasketLine[]>('shop.basket', (value) =>
  Array.isArray(value) ? value.filter(isLine).slice(0, MAX_LINES) : [],
);

export const unitsInBasket = computed(() => basket.value.reduce((sum, line) => sum + line.quantity, 0));

export const quantityInBasket = (id: number) => basket.value.find((line) => line.id === id)?.quantity ?? 0;

/** 0 takes the product out. @param name of a product that is added */
export function setQuantity(id: number, quantity: number, name?: string): void {
  const others = (line: BasketLine) => line.id !== id;
  if (quantity <= 0) basket.value = basket.value.filter(others);
  else if (basket.value.every(others))
    basket.value = [...basket.value, { id, quantity, ...(name !== undefined && { name }) }];
  else basket.value = basket.value.map((line) => (line.id === id ? { ...line, quantity } : line));
}

/** The name of a product of the basket that the shop does not name. */
export const nameInBasket = (id: number) => basket.value.find((line) => line.id === id)?.name ?? `№ ${id}`;

export const isBasketFull = () => basket.value.length >= MAX_LINES;

/** As an order names its lines. */
export const orderLines = (lines: BasketLine[]) =>
  lines.map(({ id, quantity }) => ({ product_id: id, quantity }));

function isLine(value: unknown): value is BasketLine {
  const { id, quantity, name } = (value ?? {}) as Partial<BasketLine>;
  const isCount = (n: unknown) => Number.isInteger(n) && Number(n) > 0;
  const isNamed = name === undefined || typeof name === 'string';
  return isNamed && isCount(id) && isCount(quantity) && Number(quantity) <= MAX_QUANTITY;
}
