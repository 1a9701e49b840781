import { useState } from 'preact/hooks';
import { texts } from '../../i18n/index.ts';
import { shop } from '../../shop.ts';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Page } from '../../ui/page.tsx';
import { Notice } from '../../ui/states.tsx';

export default function ForgottenPage() {
  const { account } = texts.value;
  const [sentTo, setSentTo] = useState<string>();
  if (sentTo !== undefined)
    return (
      <Page key="sent" title={account.linkSent} isNarrow>
        <div class="stack">
          <p>{account.linkSentText(sentTo)}</p>
          {location.hostname === 'localhost' && <Notice kind="info">{account.linkInLog}</Notice>}
        </div>
      </Page>
    );
  return (
    <Page title={account.forgottenTitle} isNarrow>
      <div class="panel stack">
        <p class="muted">{account.forgottenText}</p>
        <Form
          submit={account.sendLink}
          onSubmit={async ({ email = '' }) => {
            await shop.session.requestPasswordReset(email);
            setSentTo(email);
          }}
        >
          <Field name="email" type="email" label={account.email} autoComplete="email" required />
        </Form>
      </div>
    </Page>
  );
}
