import type { ComponentChildren } from 'preact';
import { texts } from '../i18n/index.ts';
import { failureText, referenceOf } from '../lib/failure-text.ts';
import { Icon, type IconName } from './icon.tsx';
import { PageTitle } from './page.tsx';

interface EmptyProps {
  icon: IconName;
  title: string;
  text?: string;
  /** It is all that the page has. */
  isPage?: boolean;
  children?: ComponentChildren;
}

export function Empty({ icon, title, text, isPage = false, children }: EmptyProps) {
  return (
    <div class="state">
      <span class="state__icon">
        <Icon name={icon} size={34} />
      </span>
      <StateTitle isPage={isPage} title={title} />
      {text && <p class="muted">{text}</p>}
      {children}
    </div>
  );
}

const StateTitle = ({ isPage, title }: { isPage: boolean; title: string }) =>
  isPage ? <PageTitle title={title} /> : <h2>{title}</h2>;

interface FailedProps {
  failure: unknown;
  onRetry?: () => void;
  isPage?: boolean;
}

/** What went wrong, where the content would be, and a way to try it again. */
export function Failed({ failure, onRetry, isPage = false }: FailedProps) {
  const { shop, failures } = texts.value;
  const reference = referenceOf(failure);
  return (
    <div class="state" role="alert">
      <span class="state__icon state__icon--bad">
        <Icon name="alert" size={34} />
      </span>
      <StateTitle isPage={isPage} title={shop.failed} />
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

/** A table that scrolls sideways where it is too wide, for the keyboard as well. */
export function TableBox({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard (WCAG 2.1.1)
    <section class="table-box" aria-label={label} tabIndex={0}>
      <table>
        <caption class="visually-hidden">{label}</caption>
        {children}
      </table>
    </section>
  );
}
