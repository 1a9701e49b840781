import type { Product } from '@shop/client';
import { texts } from '../../i18n/index.ts';
import { listHref } from '../../lib/list-query.ts';
import { useResource } from '../../lib/use-resource.ts';
import { shop } from '../../shop.ts';
import { PageTitle } from '../../ui/page.tsx';
import { Picture } from '../../ui/picture.tsx';
import { GridSkeleton, ProductGrid } from '../../ui/product-card.tsx';
import { Failed } from '../../ui/states.tsx';

const SHOWN = 8;
/** Behind the heading; these pictures are there before any product is. */
const COLLAGE = ['kettle-mint', 'lamp-coral', 'bookmoon-plum', 'plant-coral', 'turntable-sage', 'chair-sage'];

export function HomePage() {
  const { home } = texts.value;
  return (
    <div class="page page--home">
      <section class="hero">
        <div class="hero__text">
          <PageTitle title={home.title} />
          <p>{home.text}</p>
          <a class="button button--primary button--large" href="/products">
            {home.browse}
          </a>
        </div>
        <div class="hero__pictures" aria-hidden="true">
          {COLLAGE.map((name) => (
            <Picture key={name} src={`/pictures/${name}.svg`} isEager />
          ))}
        </div>
      </section>
      <Departments />
      <Shelf
        title={home.fresh}
        href={listHref({ sort: '-created_at' })}
        name="fresh"
        load={async (signal) =>
          (await shop.products.list({ sort: '-created_at', in_stock: true, per_page: SHOWN }, { signal }))
            .products
        }
      />
    </div>
  );
}

function Departments() {
  const { home } = texts.value;
  const { data, failure, reload } = useResource('departments', (signal) =>
    shop.products.categories({ counts: true }, { signal }),
  );
  if (failure && !data) return <Failed failure={failure} onRetry={reload} />;
  const names = data?.categories ?? Array.from({ length: 10 }, () => undefined);
  return (
    <section class="section">
      <h2>{home.categories}</h2>
      <ul class="departments">
        {names.map((name, index) => (
          <li key={name ?? index}>
            {name === undefined ? (
              <span class="department skeleton" />
            ) : (
              <a class="department" href={listHref({ category: name })}>
                <strong>{name}</strong>
                <span class="muted small number">{home.products(data?.counts?.[name] ?? 0)}</span>
              </a>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

interface ShelfProps {
  title: string;
  href?: string;
  name: string;
  load: (signal: AbortSignal) => Promise<Product[]>;
}

/** A row of products under a heading. Where there are none, there is no heading. */
export function Shelf({ title, href, name, load }: ShelfProps) {
  const { data, failure, reload } = useResource(`shelf ${name}`, load);
  if (data?.length === 0) return null;
  return (
    <section class="section">
      <div class="section__head">
        <h2>{title}</h2>
        {href && <a href={href}>{texts.value.home.all}</a>}
      </div>
      {failure && !data ? (
        <Failed failure={failure} onRetry={reload} />
      ) : data ? (
        <ProductGrid products={data} />
      ) : (
        <GridSkeleton cards={SHOWN} />
      )}
    </section>
  );
}
