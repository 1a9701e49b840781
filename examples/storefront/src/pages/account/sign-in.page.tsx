import { useLocation } from 'preact-iso';
import { texts } from '../../i18n/index.ts';
import { shop, user } from '../../shop.ts';
import { Field, PasswordField } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Page } from '../../ui/page.tsx';
import { Notice } from '../../ui/states.tsx';
import { nextPage } from '../require-user.tsx';

export default function SignInPage() {
  const { account } = texts.value;
  const { query, route } = useLocation();
  const { next } = query;
  async function signIn({ name = '', password = '' }: Record<string, string>) {
    const who = name.includes('@') ? { email: name } : { username: name };
    user.value = await shop.session.login({ ...who, password });
    route(nextPage(next), true);
  }
  return (
    <Page title={account.signInTitle} isNarrow>
      <div class="panel stack">
        {'reset' in query && <Notice kind="good">{account.passwordSet}</Notice>}
        <Form submit={account.signIn} onSubmit={signIn}>
          <Field
            name="name"
            label={account.nameOrEmail}
            autoComplete="username"
            autoCapitalize="none"
            required
          />
          <PasswordField name="password" label={account.password} autoComplete="current-password" required />
        </Form>
        <p>
          <a href="/forgotten-password">{account.forgotten}</a>
        </p>
        <p>
          {account.noAccount}{' '}
          <a href={next ? `/sign-up?next=${encodeURIComponent(next)}` : '/sign-up'}>{account.signUp}</a>
        </p>
      </div>
    </Page>
  );
}
