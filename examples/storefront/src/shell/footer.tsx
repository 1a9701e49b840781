import { texts } from '../i18n/index.ts';

export function Footer() {
  const { shop } = texts.value;
  return (
    <footer class="footer">
      <p>{shop.claim}</p>
      <p class="small">{shop.footer}</p>
    </footer>
  );
}
