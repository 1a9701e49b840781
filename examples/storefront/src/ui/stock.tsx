import { texts } from '../i18n/index.ts';

const FEW = 5;

/** How many there are, as far as a buyer wants to know. */
export function Stock({ stock, isQuiet = false }: { stock: number; isQuiet?: boolean }) {
  const { product } = texts.value;
  if (stock === 0) return <span class="badge badge--bad">{product.soldOut}</span>;
  if (stock === 1) return <span class="badge badge--warn">{product.last}</span>;
  if (stock <= FEW) return <span class="badge badge--warn">{product.few(stock)}</span>;
  return isQuiet ? null : <span class="badge badge--good">{product.inStock}</span>;
}
