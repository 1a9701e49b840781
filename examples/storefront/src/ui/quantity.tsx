import { texts } from '../i18n/index.ts';
import { Icon } from './icon.tsx';

interface QuantityProps {
  value: number;
  max: number;
  /** Of what, for screen readers. */
  name: string;
  onChange: (value: number) => void;
}

/** A number with a button on each side. */
export function Quantity({ value, max, name, onChange }: QuantityProps) {
  const { product } = texts.value;
  const change = (next: number) => {
    if (Number.isInteger(next) && next >= 1) onChange(Math.min(next, Math.max(1, max)));
  };
  return (
    <fieldset class="quantity" aria-label={`${product.quantity}: ${name}`}>
      <button
        type="button"
        aria-label={product.fewer}
        disabled={value <= 1}
        onClick={() => change(value - 1)}
      >
        <Icon name="minus" size={18} />
      </button>
      <input
        class="number"
        inputMode="numeric"
        aria-label={`${product.quantity}: ${name}`}
        value={value}
        onChange={(event) => {
          change(Number(event.currentTarget.value));
          event.currentTarget.value = String(value);
        }}
      />
      <button
        type="button"
        aria-label={product.more}
        disabled={value >= max}
        onClick={() => change(value + 1)}
      >
        <Icon name="plus" size={18} />
      </button>
    </fieldset>
  );
}
