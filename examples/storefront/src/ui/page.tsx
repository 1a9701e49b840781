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

/** Names the window, and moves the focus to the heading after a navigation, so that a screen reader reads it. */
export function useArrival(title: string) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { shop } = texts.value;
  useEffect(() => {
    document.title = title === shop.name ? title : `${title} · ${shop.name}`;
  }, [title, shop.name]);
  useEffect(() => {
    // Whoever searches goes on typing.
    const isSearching = document.activeElement?.closest('search');
    if (hasArrived && !isSearching) heading.current?.focus({ preventScroll: true });
    hasArrived = true;
  }, []);
  return heading;
}

export function Page({ title, before, beside, isNarrow = false, children }: PageProps) {
  const heading = useArrival(title);
  return (
    <div class={isNarrow ? 'page page--narrow' : 'page'}>
      {before}
      <div class="page__head">
        <h1 tabIndex={-1} ref={heading}>
          {title}
        </h1>
        {beside}
      </div>
      {children}
    </div>
  );
}
