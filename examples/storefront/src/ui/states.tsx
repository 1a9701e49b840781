import type { ComponentChildren } from 'preact';
import { texts } from '../i18n/index.ts';
import { failureText, referenceOf } from '../lib/failure-text.ts';
import { Icon, type IconName } from './icon.tsx';

interface EmptyProps {
  icon: IconName;
  title: string;
  text?: string;
  children?: ComponentChildren;
}

export function Empty({ icon, title, text, children }: EmptyProps) {
  return (
    <div class="state">
      <span class="state__icon">
        <Icon name={icon} size={34} />
      </span>
      <h2>{title}</h2>
      {text && <p class="muted">{text}</p>}
      {children}
    </div>
  );
}

/** What went wrong, where the content would be, and a way to try it again. */
export function Failed({ failure, onRetry }: { failure: unknown; onRetry?: () => void }) {
  const { shop, failures } = texts.value;
  const reference = referenceOf(failure);
  return (
    <div class="state" role="alert">
      <span class="state__icon state__icon--bad">
        <Icon name="alert" size={34} />
      </span>
      <h2>{shop.failed}</h2>
      <p class="muted">{failureText(failure)}</p>
      {reference && <p class="muted small">{failures.reference(reference)}</p>}
      {onRetry && (
        <button type="button" class="button" onClick={onRetry}>
          {shop.retry}
        </button>
      )}
    </div>
  );
}

/** Grey shapes of the size of what is to come. */
export function Skeleton({ rows = 4, height = '4.5rem' }: { rows?: number; height?: string }) {
  return (
    <div class="stack" role="status">
      <span class="visually-hidden">{texts.value.shop.loading}</span>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} class="skeleton" style={{ height }} />
      ))}
    </div>
  );
}

/** A message in a box, between other content. */
export function Notice({
  kind,
  children,
}: {
  kind: 'good' | 'warn' | 'bad' | 'info';
  children: ComponentChildren;
}) {
  return <div class={`notice notice--${kind}`}>{children}</div>;
}
