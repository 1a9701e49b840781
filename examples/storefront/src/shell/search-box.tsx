import { useEffect, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { texts } from '../i18n/index.ts';
import { listHref } from '../lib/list-query.ts';
import { Icon } from '../ui/icon.tsx';

/** So many milliseconds after the last key the list is asked for. */
const PAUSE = 180;

/** Searches as one types. The list page has the words in its address, so a reload and a link keep them. */
export function SearchBox() {
  const { list } = texts.value;
  const { path, query, route } = useLocation();
  const isList = path === '/products';
  const current = isList ? (query['q'] ?? '') : '';
  const [text, setText] = useState(current);
  const timer = useRef<number>(undefined);
  const input = useRef<HTMLInputElement>(null);
  // A navigation by other means, such as the back button.
  useEffect(() => {
    if (document.activeElement !== input.current) setText(current);
  }, [current]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const search = (words: string) => {
    clearTimeout(timer.current);
    if (words.trim() === current && isList) return;
    const filters = isList ? query : {};
    // The first letter is a step in the history, the others change it.
    route(listHref({ ...filters, q: words.trim(), page: '', sort: '' }), isList);
  };
  return (
    <search class="search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          search(text);
        }}
      >
        <Icon name="search" size={20} />
        <input
          ref={input}
          type="search"
          aria-label={list.search}
          placeholder={list.searchPlaceholder}
          value={text}
          maxLength={200}
          autoComplete="off"
          onInput={(event) => {
            const words = event.currentTarget.value;
            setText(words);
            clearTimeout(timer.current);
            if (words.trim() !== '' || isList) timer.current = window.setTimeout(() => search(words), PAUSE);
          }}
        />
      </form>
    </search>
  );
}
