import { useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { texts } from '../../i18n/index.ts';
import { count, decimalsOf } from '../../lib/format.ts';
import { type ListFilters, listHref } from '../../lib/list-query.ts';
import { useResource } from '../../lib/use-resource.ts';
import { shop } from '../../shop.ts';
import { Checkbox } from '../../ui/field.tsx';
import { Icon } from '../../ui/icon.tsx';

/** On a phone the filters are folded away; there is room for them from here on. */
const wide = matchMedia('(min-width: 56rem)');

export function Filters({ filters, currency }: { filters: ListFilters; currency: string | undefined }) {
  const { list } = texts.value;
  return (
    <details class="filters" open={wide.matches}>
      <summary class="button">
        <Icon name="filter" size={18} />
        {list.filters}
      </summary>
      <div class="filters__body">
        <Departments filters={filters} />
        <PriceRange key={`${filters.min_price}-${filters.max_price}`} filters={filters} currency={currency} />
        <StockFilter filters={filters} />
        {Object.entries(filters).some(([name, value]) => value && name !== 'page' && name !== 'sort') && (
          <a class="small" href="/products">
            {list.reset}
          </a>
        )}
      </div>
    </details>
  );
}

function StockFilter({ filters }: { filters: ListFilters }) {
  const { route } = useLocation();
  return (
    <Checkbox
      name="in_stock"
      label={texts.value.list.inStock}
      isChecked={filters.in_stock === 'true'}
      onChange={(isChecked) => route(listHref({ ...filters, in_stock: isChecked ? 'true' : '', page: '' }))}
    />
  );
}

function Departments({ filters }: { filters: ListFilters }) {
  const { list } = texts.value;
  const { data, failure } = useResource('departments', (signal) =>
    shop.products.categories({ counts: true }, { signal }),
  );
  const chosen = filters.category?.toLowerCase() ?? '';
  const link = (name: string, text: string, number?: number) => (
    <li key={name}>
      <a
        href={listHref({ ...filters, category: name, page: '' })}
        aria-current={chosen === name.toLowerCase() ? 'true' : undefined}
      >
        {text}
        {number !== undefined && <span class="muted number">{count(number)}</span>}
      </a>
    </li>
  );
  return (
    <nav aria-label={list.department}>
      <h2 class="filters__title">{list.department}</h2>
      <ul class="filters__links">
        {link('', list.anyDepartment)}
        {data?.categories.map((name) => link(name, name, data.counts?.[name]))}
        {!data &&
          failure === undefined &&
          Array.from({ length: 10 }, (_, index) => <li key={index} class="skeleton skeleton--line" />)}
      </ul>
    </nav>
  );
}

function PriceRange({ filters, currency }: { filters: ListFilters; currency: string | undefined }) {
  const { list } = texts.value;
  const { route } = useLocation();
  const form = useRef<HTMLFormElement>(null);
  const apply = () => {
    if (!form.current) return;
    const { min_price, max_price } = Object.fromEntries(new FormData(form.current)) as Record<string, string>;
    // `1,000` and `1.000` are a thousand, unless there are three decimals.
    const isGrouped = (text: string) => decimalsOf(currency) !== 3 && /^\d{1,3}[.,]\d{3}$/.test(text);
    const plain = (text = '') =>
      isGrouped(text.trim()) ? text.trim().replace(/[.,]/, '') : text.trim().replace(',', '.');
    route(listHref({ ...filters, min_price: plain(min_price), max_price: plain(max_price), page: '' }));
  };
  return (
    <form
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <fieldset>
        <legend class="filters__title">
          {list.price} {currency && <span class="muted">{currency}</span>}
        </legend>
        <div class="filters__range">
          <input
            name="min_price"
            inputMode="decimal"
            aria-label={list.from}
            placeholder={list.from}
            defaultValue={filters.min_price}
          />
          <span class="muted">–</span>
          <input
            name="max_price"
            inputMode="decimal"
            aria-label={list.to}
            placeholder={list.to}
            defaultValue={filters.max_price}
          />
          <button type="submit" class="button button--small">
            {list.apply}
          </button>
        </div>
      </fieldset>
    </form>
  );
}
