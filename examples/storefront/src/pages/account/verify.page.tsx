import { useLocation } from 'preact-iso';
import { texts } from '../../i18n/index.ts';
import { useResource } from '../../lib/use-resource.ts';
import { loadUser, shop } from '../../shop.ts';
import { Page } from '../../ui/page.tsx';
import { Failed, Notice, Skeleton } from '../../ui/states.tsx';

/** Where the link of the mail leads. */
export default function VerifyPage() {
  const { account } = texts.value;
  const { token = '' } = useLocation().query;
  const { data, failure } = useResource(`verify ${token}`, async (signal) => {
    await shop.session.verifyEmail(token, { signal });
    await loadUser();
    return true;
  });
  return (
    <Page title={account.email} isNarrow>
      {data ? (
        <Notice kind="good">{account.verified}</Notice>
      ) : failure !== undefined ? (
        <Failed failure={failure} />
      ) : (
        <Skeleton rows={1} />
      )}
      <p>
        <a href="/account">{account.title}</a>
      </p>
    </Page>
  );
}
