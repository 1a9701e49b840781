import type { User } from '@shop/client';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { user } from '../shop.ts';
import { Skeleton } from '../ui/states.tsx';

/** Shows a page to those who are signed in; sends others to sign in, and back afterwards. */
export function RequireUser({ children }: { children: (user: User) => ComponentChildren }) {
  const { url, route } = useLocation();
  const known = user.value;
  useEffect(() => {
    if (known === null) route(`/sign-in?next=${encodeURIComponent(url)}`, true);
  }, [known]);
  if (!known)
    return (
      <div class="page">
        <Skeleton rows={5} />
      </div>
    );
  return <>{children(known)}</>;
}

/** Where to go after signing in: a page of this shop, whatever the address says. */
export const nextPage = (next: string | undefined) =>
  next?.startsWith('/') && !/^\/[/\\]/.test(next) ? next : '/account';
