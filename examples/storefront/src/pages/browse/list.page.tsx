import { useLocation } from 'preact-iso';
import { texts } from '../../i18n/index.ts';
import { count } from '../../lib/format.ts';
import { isSort, type ListFilters, listHref, PER_PAGE, SORTS, toQuery } from '../../lib/list-query.ts';
import { useResource } from '../../lib/use-resource.ts';
import { shop } from '../../shop.ts';
import { Page } from '../../ui/page.tsx';
import { Pager } from '../../ui/pager.tsx';
import { GridSkeleton, ProductGrid } from '../../ui/product-card.tsx';
import { Empty, Failed } from '../../ui/states.tsx';
import { Filters } from './filters.tsx';

export function ListPage() {
  const { list } = texts.value;
  const { query: filters, route } = useLocation() as { query: ListFilters; route: (url: string) => void };
  const query = toQuery(filters);
  const { data, failure, isLoading, reload } = useResource(`products ${JSON.stringify(query)}`, (signal) =>
    shop.products.list(query, { signal }),
  );
  const title = filters.q ? list.resultsFor(filters.q) : filters.category || list.title;
  return (
    <Page title={title}>
      <div class="list">
        <Filters filters={filters} currency={data?.products[0]?.currency} />
        <section class="list__results">
          <h2 class="visually-hidden">{list.title}</h2>
          <div class="list__bar">
            <p class="muted number" aria-live="polite">
              {data && total(data)}
            </p>
            <label class="sort">
              <span>{list.sort}</span>
              <select
                value={sortOf(filters)}
                onChange={(event) =>
                  route(listHref({ ...filters, sort: event.currentTarget.value, page: '' }))
                }
              >
                {SORTS.filter((sort) => sort !== 'relevance' || filters.q).map((sort) => (
                  <option key={sort} value={sort}>
                    {list.sorts[sort]}
                  </option>
                ))}
              </select>
            </label>
          </div>
          {failure !== undefined ? (
            <Failed failure={failure} onRetry={reload} />
          ) : data === undefined ? (
            <GridSkeleton cards={PER_PAGE} />
          ) : data.products.length === 0 ? (
            <Empty icon="search" title={list.none} text={list.noneText}>
              <a class="button" href={listHref(filters.q ? { q: filters.q } : {})}>
                {list.reset}
              </a>
            </Empty>
          ) : (
            <>
              <ProductGrid products={data.products} isDimmed={isLoading} />
              <Pager
                page={data.page ?? 1}
                pages={data.pages}
                hrefOf={(page) => listHref({ ...filters, page: String(page) })}
              />
            </>
          )}
        </section>
      </div>
    </Page>
  );
}

function sortOf({ sort, q }: ListFilters) {
  if (isSort(sort) && (sort !== 'relevance' || q)) return sort;
  return q ? 'relevance' : 'id';
}

function total({ total, pages_capped }: { total: number; pages_capped: boolean }): string {
  const { list } = texts.value;
  return pages_capped ? list.atLeast(count(total)) : list.found(count(total), total === 1);
}
