import { useLocation } from 'preact-iso';
import { texts } from '../../i18n/index.ts';
import { shop, user } from '../../shop.ts';
import { Field, PasswordField } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Page } from '../../ui/page.tsx';
import { nextPage } from '../require-user.tsx';

export default function SignUpPage() {
  const { account } = texts.value;
  const { query, route } = useLocation();
  const { next } = query;
  async function signUp({ username = '', email = '', password = '' }: Record<string, string>) {
    user.value = await shop.session.register({ username, email, password });
    route(nextPage(next), true);
  }
  return (
    <Page title={account.signUpTitle} isNarrow>
      <div class="panel stack">
        <Form submit={account.signUp} onSubmit={signUp}>
          <Field
            name="username"
            label={account.username}
            hint={account.usernameHint}
            autoComplete="username"
            autoCapitalize="none"
            required
          />
          <Field name="email" type="email" label={account.email} autoComplete="email" required />
          <PasswordField
            name="password"
            label={account.password}
            hint={account.passwordHint}
            autoComplete="new-password"
            required
          />
        </Form>
        <p>
          {account.hasAccount}{' '}
          <a href={next ? `/sign-in?next=${encodeURIComponent(next)}` : '/sign-in'}>{account.signIn}</a>
        </p>
      </div>
    </Page>
  );
}
