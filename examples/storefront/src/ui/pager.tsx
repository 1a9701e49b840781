import { Fragment } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { texts } from '../i18n/index.ts';
import { count } from '../lib/format.ts';
import { Icon } from './icon.tsx';

interface PagerProps {
  page: number;
  pages: number;
  hrefOf: (page: number) => string;
}

/** Links to the pages around this one, the first and the last. They are below the rows, and lead to the first row. */
export function Pager({ page, pages, hrefOf }: PagerProps) {
  const { wasPush } = useLocation() as { wasPush?: boolean };
  const shownPage = useRef(page);
  useEffect(() => {
    if (page !== shownPage.current && wasPush) scrollTo(0, 0);
    shownPage.current = page;
  }, [page]);
  if (pages < 2) return null;
  const { list } = texts.value;
  const near = [1, page - 1, page, page + 1, pages].filter((n) => n >= 1 && n <= pages);
  const shown = [...new Set(near)].sort((a, b) => a - b);
  return (
    <nav class="pager" aria-label={list.pages}>
      <Step href={page > 1 ? hrefOf(page - 1) : undefined} label={list.previous} icon="left" />
      {shown.map((n, index) => (
        <Fragment key={n}>
          {index > 0 && n - (shown[index - 1] ?? 0) > 1 && <span class="muted">…</span>}
          <a
            class="pager__page number"
            href={hrefOf(n)}
            aria-label={list.page(n)}
            aria-current={n === page ? 'page' : undefined}
          >
            {count(n)}
          </a>
        </Fragment>
      ))}
      <Step href={page < pages ? hrefOf(page + 1) : undefined} label={list.next} icon="right" />
    </nav>
  );
}

function Step({ href, label, icon }: { href: string | undefined; label: string; icon: 'left' | 'right' }) {
  if (href === undefined) return null;
  return (
    <a class="pager__page" href={href} rel={icon === 'left' ? 'prev' : 'next'} aria-label={label}>
      <Icon name={icon} size={18} />
    </a>
  );
}
