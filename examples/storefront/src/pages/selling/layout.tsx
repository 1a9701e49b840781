import type { User } from '@shop/client';
import type { ComponentChildren } from 'preact';
import { useLocation } from 'preact-iso';
import { texts } from '../../i18n/index.ts';
import { Page } from '../../ui/page.tsx';
import { RequireUser } from '../require-user.tsx';

interface SellingPageProps {
  title: string;
  beside?: ComponentChildren;
  children: (user: User) => ComponentChildren;
}

/** The pages of sellers: everybody who is signed in may sell. */
export function SellingPage({ title, beside, children }: SellingPageProps) {
  const { selling } = texts.value;
  return (
    <RequireUser>
      {(user) => (
        <Page
          title={title}
          beside={beside}
          before={
            <Tabs
              label={selling.title}
              links={[
                ['/selling', selling.mine],
                ['/selling/orders', selling.orders],
                ['/selling/import', selling.import],
              ]}
            />
          }
        >
          {children(user)}
        </Page>
      )}
    </RequireUser>
  );
}

/** Links to pages that belong together. */
export function Tabs({ label, links }: { label: string; links: [href: string, text: string][] }) {
  const { path } = useLocation();
  return (
    <nav class="tabs" aria-label={label}>
      {links.map(([href, text]) => (
        <a key={href} href={href} aria-current={path === href ? 'page' : undefined}>
          {text}
        </a>
      ))}
    </nav>
  );
}
