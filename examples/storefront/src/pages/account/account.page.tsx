import type { User } from '@shop/client';
import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { texts } from '../../i18n/index.ts';
import { day } from '../../lib/format.ts';
import { shop, user as signedIn, signOut } from '../../shop.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Field, PasswordField } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Page } from '../../ui/page.tsx';
import { Notice } from '../../ui/states.tsx';
import { say, sayFailure } from '../../ui/toast.tsx';
import { RequireUser } from '../require-user.tsx';
import { Devices } from './devices.tsx';

export default function AccountPage() {
  return <RequireUser>{(user) => <Account user={user} />}</RequireUser>;
}

function Account({ user }: { user: User }) {
  const { account } = texts.value;
  const { route } = useLocation();
  return (
    <Page
      title={account.title}
      beside={
        <button type="button" class="button" onClick={() => void signOut().then(() => route('/'))}>
          {account.signOut}
        </button>
      }
    >
      <div class="stack">
        {!user.email_verified && <Verification />}
        <div class="form__row">
          <Profile user={user} />
          <Password />
        </div>
        <Devices />
        <DeleteAccount user={user} />
      </div>
    </Page>
  );
}

function Verification() {
  const { account } = texts.value;
  const send = () =>
    shop.session.requestEmailVerification().then(() => say(account.verificationSent), sayFailure);
  return (
    <Notice kind="info">
      {account.verify}{' '}
      <button type="button" class="link-button" onClick={() => void send()}>
        {account.sendVerification}
      </button>
    </Notice>
  );
}

function Profile({ user }: { user: User }) {
  const { account, shop: words } = texts.value;
  return (
    <section class="panel">
      <h2>{account.profile}</h2>
      <Form
        submit={words.save}
        onSubmit={async ({ username = '', email = '' }) => {
          signedIn.value = await shop.users.update(user.id, { username, email });
          say(account.profileSaved);
        }}
      >
        <Field
          name="username"
          label={account.username}
          defaultValue={user.username}
          autoComplete="username"
        />
        <Field
          name="email"
          type="email"
          label={account.email}
          defaultValue={user.email}
          autoComplete="email"
        />
      </Form>
      <p class="muted small">{account.since(day(user.created_at))}</p>
    </section>
  );
}

function Password() {
  const { account } = texts.value;
  const [round, setRound] = useState(0);
  return (
    <section class="panel">
      <h2>{account.changePassword}</h2>
      <Form
        key={round}
        submit={account.changePassword}
        onSubmit={async ({ current_password = '', new_password = '' }) => {
          await shop.session.changePassword({ current_password, new_password });
          setRound(round + 1);
          say(account.passwordChanged);
        }}
      >
        <PasswordField
          name="current_password"
          label={account.currentPassword}
          autoComplete="current-password"
        />
        <PasswordField
          name="new_password"
          label={account.newPassword}
          hint={account.passwordHint}
          autoComplete="new-password"
        />
      </Form>
    </section>
  );
}

function DeleteAccount({ user }: { user: User }) {
  const { account, shop: words } = texts.value;
  const { route } = useLocation();
  const [isAsking, setAsking] = useState(false);
  const [typed, setTyped] = useState('');
  async function remove() {
    try {
      await shop.users.delete(user.id);
      await shop.session.logout().catch(() => undefined);
      signedIn.value = null;
      route('/');
      say(account.deleted);
    } catch (error) {
      setAsking(false);
      sayFailure(error);
    }
  }
  return (
    <section class="panel">
      <h2>{account.delete}</h2>
      <p class="muted">{account.deleteText}</p>
      <p>
        <button type="button" class="button button--danger" onClick={() => setAsking(true)}>
          {account.delete}
        </button>
      </p>
      {isAsking && (
        <Dialog
          title={account.deleteTitle}
          onClose={() => setAsking(false)}
          actions={
            <>
              <button
                type="button"
                class="button button--danger"
                disabled={typed !== user.username}
                onClick={() => void remove()}
              >
                {account.deleteForever}
              </button>
              <button type="button" class="button" onClick={() => setAsking(false)}>
                {words.cancel}
              </button>
            </>
          }
        >
          <p>{account.deleteText}</p>
          <Field
            name="confirmation"
            label={account.deleteConfirm(user.username)}
            autoComplete="off"
            autoCapitalize="none"
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </Dialog>
      )}
    </section>
  );
}
