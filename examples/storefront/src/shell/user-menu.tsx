import type { User } from '@shop/client';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { texts } from '../i18n/index.ts';
import { signOut } from '../shop.ts';
import { Icon } from '../ui/icon.tsx';

/** A link to sign in, or a list of what the user has. Until it is known, the link keeps the place. */
export function UserMenu({ user }: { user: User | null | undefined }) {
  const { account } = texts.value;
  if (!user)
    return (
      <a class="icon-button" href="/sign-in" aria-label={account.signIn}>
        <Icon name="user" />
      </a>
    );
  return <Menu user={user} />;
}

function Menu({ user }: { user: User }) {
  const { account, orders, selling, admin } = texts.value;
  const { url, route } = useLocation();
  const [isOpen, setOpen] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  const id = useId();
  useEffect(() => setOpen(false), [url]);
  useEffect(() => {
    if (!isOpen) return;
    const outside = (event: Event) => {
      if (event.target instanceof Node && !menu.current?.contains(event.target)) setOpen(false);
    };
    const onKey = ({ key }: KeyboardEvent) => {
      if (key !== 'Escape') return;
      setOpen(false);
      menu.current?.querySelector('button')?.focus();
    };
    document.addEventListener('keydown', onKey);
    document.addEventListener('pointerdown', outside);
    document.addEventListener('focusin', outside);
    return () => {
      document.removeEventListener('keydown', onKey);
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('focusin', outside);
    };
  }, [isOpen]);
  const links: [string, string][] = [
    ['/orders', orders.title],
    ['/account', account.title],
    ['/selling', selling.title],
    ...(user.role === 'admin' ? ([['/admin', admin.title]] as [string, string][]) : []),
  ];
  return (
    <div class="menu" ref={menu}>
      <button
        type="button"
        class="icon-button icon-button--user"
        aria-expanded={isOpen}
        aria-controls={id}
        aria-label={`${account.title}: ${user.username}`}
        onClick={() => setOpen(!isOpen)}
      >
        {user.username.slice(0, 1).toUpperCase()}
      </button>
      <div class="menu__list" id={id} hidden={!isOpen}>
        <p class="menu__name">{user.username}</p>
        {links.map(([href, text]) => (
          <a key={href} href={href}>
            {text}
          </a>
        ))}
        <button
          type="button"
          onClick={() => {
            setOpen(false);
            void signOut().then(() => route('/'));
          }}
        >
          {account.signOut}
        </button>
      </div>
    </div>
  );
}
