import type { User } from '@shop/client';
import type { ComponentChildren } from 'preact';
import { Fragment } from 'preact';
import { useEffect } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { loadUser, user, userFailure } from '../shop.ts';
import { Failed, Skeleton } from '../ui/states.tsx';

/** Shows a page to those who are signed in; sends others to sign in, and back afterwards. */
export function RequireUser({ children }: { children: (user: User) => ComponentChildren }) {
  const { url, route } = useLocation();
  const known = user.value;
  useEffect(() => {
    if (known === null) route(`/sign-in?next=${encodeURIComponent(url)}`, true);
  }, [known]);
  const retry = () => {
    userFailure.value = undefined;
    void loadUser();
  };
  if (known === undefined && userFailure.value !== undefined)
    return <Failed failure={userFailure.value} onRetry={retry} isPage />;
  if (!known)
    return (
      <div class="page">
        <Skeleton rows={5} />
      </div>
    );
  // Another user sees nothing of the one before.
  return <Fragment key={known.id}>{children(known)}</Fragment>;
}

/** Where to go after signing in: a page of this shop, whatever the address says. */
export const nextPage = (next: string | undefined) =>
  next?.startsWith('/') && !/^\/[/\\]/.test(next) ? next : '/account';
