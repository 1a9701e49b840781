import { useLocation } from 'preact-iso';
import { texts } from '../../i18n/index.ts';
import { shop, user } from '../../shop.ts';
import { PasswordField } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Page } from '../../ui/page.tsx';
import { Notice } from '../../ui/states.tsx';

/** Where the link of the mail leads. */
export default function ResetPage() {
  const { account } = texts.value;
  const { query, route } = useLocation();
  const { token } = query;
  return (
    <Page title={account.forgottenTitle} isNarrow>
      <div class="panel stack">
        {token ? (
          <Form
            submit={account.setPassword}
            onSubmit={async ({ new_password = '' }) => {
              await shop.session.resetPassword({ token, new_password });
              // It has ended all sessions, this one included.
              await shop.session.logout().catch(() => undefined);
              user.value = null;
              route('/sign-in?reset', true);
            }}
          >
            <PasswordField
              name="new_password"
              label={account.newPassword}
              hint={account.passwordHint}
              autoComplete="new-password"
              required
            />
          </Form>
        ) : (
          <Notice kind="warn">{account.noToken}</Notice>
        )}
        <p>
          <a href="/forgotten-password">{account.forgotten}</a>
        </p>
      </div>
    </Page>
  );
}
