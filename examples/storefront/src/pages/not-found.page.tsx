import { texts } from '../i18n/index.ts';
import { Page } from '../ui/page.tsx';

export function NotFoundPage() {
  const { shop } = texts.value;
  return (
    <Page title={shop.notFound} isNarrow>
      <p class="muted">{shop.notFoundText}</p>
      <p>
        <a class="button" href="/">
          {shop.toStart}
        </a>
      </p>
    </Page>
  );
}
