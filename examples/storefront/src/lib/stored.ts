import { effect, type Signal, signal } from '@preact/signals';

/**
 * A signal that is kept over reloads and shared by the tabs of this browser.
 * @param read what is used of a stored value, which may be of any form: an older version of this page wrote it
 */
export function stored<T>(key: string, read: (value: unknown) => T): Signal<T> {
  const current = signal(read(load(key)));
  addEventListener('storage', (event) => {
    if (event.key === key) current.value = read(load(key));
  });
  let isFirst = true;
  effect(() => {
    const text = JSON.stringify(current.value);
    if (!isFirst) save(key, text);
    isFirst = false;
  });
  return current;
}

function load(key: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(key) ?? 'null');
  } catch {
    return null;
  }
}

function save(key: string, text: string): void {
  try {
    if (localStorage.getItem(key) !== text) localStorage.setItem(key, text);
  } catch {
    // Storage is full or blocked: it lasts until the next reload then.
  }
}
