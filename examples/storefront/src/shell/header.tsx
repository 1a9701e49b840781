import { useLocation } from 'preact-iso';
import { unitsInBasket } from '../basket.ts';
import { texts } from '../i18n/index.ts';
import { switchTheme, theme } from '../lib/theme.ts';
import { user } from '../shop.ts';
import { Icon } from '../ui/icon.tsx';
import { LanguageMenu } from './language-menu.tsx';
import { SearchBox } from './search-box.tsx';
import { UserMenu } from './user-menu.tsx';

export function Header() {
  const { shop, list } = texts.value;
  const { path } = useLocation();
  return (
    <header class="header">
      <div class="header__row">
        <a class="brand" href="/">
          <BrandMark />
          {shop.name}
        </a>
        <nav class="header__links" aria-label={shop.menu}>
          <a href="/products" aria-current={path === '/products' ? 'page' : undefined}>
            {list.title}
          </a>
        </nav>
        <SearchBox />
        <div class="header__tools">
          <LanguageMenu />
          <button
            type="button"
            class="icon-button"
            aria-label={theme.value === 'dark' ? shop.toLight : shop.toDark}
            onClick={switchTheme}
          >
            <Icon name={theme.value === 'dark' ? 'sun' : 'moon'} />
          </button>
          <UserMenu user={user.value} />
          <BasketLink />
        </div>
      </div>
    </header>
  );
}

function BasketLink() {
  const units = unitsInBasket.value;
  return (
    <a class="icon-button" href="/basket" aria-label={texts.value.basket.label(units)}>
      <Icon name="basket" />
      {units > 0 && (
        <span class="count number" aria-hidden="true">
          {units > 99 ? '99+' : units}
        </span>
      )}
    </a>
  );
}

function BrandMark() {
  return (
    <svg viewBox="0 0 32 32" width="30" height="30" aria-hidden="true">
      <rect width="32" height="32" rx="9" fill="var(--accent-fill)" />
      <path
        d="M16 9v15M10 14h12M7 18c1 5 5 7 9 7s8-2 9-7"
        fill="none"
        stroke="var(--on-accent)"
        stroke-width="2.6"
        stroke-linecap="round"
      />
      <circle cx="16" cy="8" r="2.2" fill="none" stroke="var(--on-accent)" stroke-width="2.2" />
    </svg>
  );
}
