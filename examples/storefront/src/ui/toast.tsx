import { signal } from '@preact/signals';
import { texts } from '../i18n/index.ts';
import { failureText } from '../lib/failure-text.ts';
import { Icon } from './icon.tsx';

interface Toast {
  id: number;
  text: string;
  kind: 'good' | 'bad';
  link?: { href: string; text: string } | undefined;
}

const SHOWN_MS = 6_000;
const toasts = signal<Toast[]>([]);
let last = 0;

/** Says that something was done. It is gone soon, so nothing that is needed later belongs here. */
export const say = (text: string, link?: Toast['link']) => show({ text, kind: 'good', link });

/** Says that something was not done. */
export const sayFailure = (failure: unknown) => show({ text: failureText(failure), kind: 'bad' });

function show(toast: Omit<Toast, 'id'>): void {
  last += 1;
  const id = last;
  toasts.value = [...toasts.value.slice(-2), { ...toast, id }];
  setTimeout(() => dismiss(id), SHOWN_MS);
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** Once on the page: screen readers only read what changes in a region that was there before. */
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, kind, link }) => (
        <div key={id} class={`toast toast--${kind}`}>
          <Icon name={kind === 'good' ? 'check' : 'alert'} />
          <span>{text}</span>
          {link && <a href={link.href}>{link.text}</a>}
          <button
            type="button"
            class="icon-button"
            aria-label={texts.value.shop.close}
            onClick={() => dismiss(id)}
          >
            <Icon name="close" size={18} />
          </button>
        </div>
      ))}
    </div>
  );
}
