import type { Product, User } from '@shop/client';
import { useLocation } from 'preact-iso';
import { texts } from '../../i18n/index.ts';
import { count, money } from '../../lib/format.ts';
import { pageOf } from '../../lib/list-query.ts';
import { useResource } from '../../lib/use-resource.ts';
import { shop } from '../../shop.ts';
import { Pager } from '../../ui/pager.tsx';
import { Picture } from '../../ui/picture.tsx';
import { Empty, Failed, Skeleton } from '../../ui/states.tsx';
import { Stock } from '../../ui/stock.tsx';
import { SellingPage } from './layout.tsx';

const PER_PAGE = 25;

export default function MyProductsPage() {
  const { selling } = texts.value;
  return (
    <SellingPage
      title={selling.mine}
      beside={
        <a class="button button--primary" href="/selling/new">
          {selling.create}
        </a>
      }
    >
      {(user) => <MyProducts user={user} />}
    </SellingPage>
  );
}

function MyProducts({ user }: { user: User }) {
  const { selling } = texts.value;
  const page = pageOf(useLocation().query['page']);
  const query = { owner_id: user.id, sort: '-created_at' as const, page, per_page: PER_PAGE };
  const { data, failure, isLoading, reload } = useResource(`mine ${JSON.stringify(query)}`, (signal) =>
    shop.products.list(query, { signal }),
  );
  if (failure !== undefined && !data) return <Failed failure={failure} onRetry={reload} />;
  if (!data) return <Skeleton rows={6} />;
  if (data.products.length === 0)
    return (
      <Empty icon="box" title={selling.none} text={selling.noneText}>
        <a class="button button--primary" href="/selling/new">
          {selling.create}
        </a>
        <a href="/selling/import">{selling.import}</a>
      </Empty>
    );
  return (
    <>
      <p class="muted number page__count">{texts.value.home.products(data.total)}</p>
      <ul class={isLoading ? 'panel tile-list grid--dimmed' : 'panel tile-list'}>
        {data.products.map((product) => (
          <Row key={product.id} product={product} />
        ))}
      </ul>
      <Pager page={page} pages={data.pages} hrefOf={(n) => `/selling?page=${n}`} />
    </>
  );
}

function Row({ product }: { product: Product }) {
  const { selling } = texts.value;
  return (
    <li>
      <div class="toolbar">
        <div class="thumb">
          <Picture src={product.image_url} />
        </div>
        <div>
          <a class="line__name" href={`/selling/${product.id}`}>
            {product.name}
          </a>
          <p class="muted small">
            {product.category}
            {product.sku && ` · ${product.sku}`}
          </p>
        </div>
      </div>
      <div class="toolbar number">
        <Stock stock={product.stock} isQuiet />
        <span class="muted small">
          {selling.stock}: {count(product.stock)}
        </span>
        <strong>{money(product.price, product.currency)}</strong>
      </div>
    </li>
  );
}
