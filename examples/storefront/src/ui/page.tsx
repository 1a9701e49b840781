import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { texts } from '../i18n/index.ts';

interface PageProps {
  title: string;
  /** Above the heading, such as a way back. */
  before?: ComponentChildren;
  /** To the right of the heading. */
  beside?: ComponentChildren;
  isNarrow?: boolean;
  children: ComponentChildren;
}

/** The first page of a visit leaves the focus where it is. */
let hasArrived = false;

/** The one heading of a page. It names the window, and gets the focus after a navigation, so that a screen reader reads it. */
export function PageTitle({ title }: { title: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { shop } = texts.value;
  useEffect(() => {
    document.title = `${title} · ${shop.name}`;
  }, [title, shop.name]);
  useEffect(() => {
    // Whoever searches goes on typing.
    const isSearching = document.activeElement?.closest('search');
    if (hasArrived && !isSearching) heading.current?.focus({ preventScroll: true });
    hasArrived = true;
  }, []);
  return (
    <h1 tabIndex={-1} ref={heading}>
      {title}
    </h1>
  );
}

export function Page({ title, before, beside, isNarrow = false, children }: PageProps) {
  return (
    <div class={isNarrow ? 'page page--narrow' : 'page'}>
      {before}
      <div class="page__head">
        <PageTitle title={title} />
        {beside}
      </div>
      {children}
    </div>
  );
}
