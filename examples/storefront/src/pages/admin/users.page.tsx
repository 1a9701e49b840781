import type { User } from '@shop/client';
import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import { texts } from '../../i18n/index.ts';
import { day } from '../../lib/format.ts';
import { pageOf } from '../../lib/list-query.ts';
import { useResource } from '../../lib/use-resource.ts';
import { shop } from '../../shop.ts';
import { Confirm } from '../../ui/dialog.tsx';
import { Field, Select } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Pager } from '../../ui/pager.tsx';
import { Empty, Failed, Skeleton } from '../../ui/states.tsx';
import { say, sayFailure } from '../../ui/toast.tsx';
import { AdminPage } from './layout.tsx';

const PER_PAGE = 25;

export default function UsersPage() {
  return <AdminPage title={texts.value.admin.users}>{(user) => <Users me={user} />}</AdminPage>;
}

function hrefOf(filters: { q?: string | undefined; role?: string | undefined; page?: number }): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(filters)) if (value) params.set(name, String(value));
  return `/admin?${params}`;
}

function Users({ me }: { me: User }) {
  const { admin, list } = texts.value;
  const { query, route } = useLocation();
  const { q, role } = query;
  const filter = {
    page: pageOf(query['page']),
    q: q || undefined,
    role: role === 'admin' || role === 'customer' ? role : undefined,
  } satisfies UserFilter;
  return (
    <div class="stack">
      <Form submit={list.search} onSubmit={async (values) => route(hrefOf(values))}>
        <div class="form__row">
          <Field name="q" label={admin.search} defaultValue={q ?? ''} />
          <Select
            name="role"
            label={admin.role}
            value={role ?? ''}
            options={[
              ['', admin.anyRole],
              ['customer', admin.roles.customer],
              ['admin', admin.roles.admin],
            ]}
          />
        </div>
      </Form>
      <UserList me={me} filter={filter} />
    </div>
  );
}

interface UserFilter {
  q: string | undefined;
  role: User['role'] | undefined;
  page: number;
}

function UserList({ me, filter }: { me: User; filter: UserFilter }) {
  const { admin, shop: words } = texts.value;
  const query = { ...filter, per_page: PER_PAGE };
  const { data, failure, reload, isLoading } = useResource(`users ${JSON.stringify(query)}`, (signal) =>
    shop.users.list(query, { signal }),
  );
  if (failure !== undefined && !data) return <Failed failure={failure} onRetry={reload} />;
  if (!data) return <Skeleton rows={5} />;
  if (data.users.length === 0)
    return (
      <Empty icon="user" title={admin.none}>
        <a class="button" href="/admin">
          {words.back}
        </a>
      </Empty>
    );
  return (
    <>
      <ul class={isLoading ? 'panel tile-list grid--dimmed' : 'panel tile-list'}>
        {data.users.map((user) => (
          <Row key={user.id} user={user} isMe={user.id === me.id} onChange={reload} />
        ))}
      </ul>
      <Pager page={filter.page} pages={data.pages} hrefOf={(n) => hrefOf({ ...filter, page: n })} />
    </>
  );
}

function Row({ user, isMe, onChange }: { user: User; isMe: boolean; onChange: () => void }) {
  const { admin, account } = texts.value;
  return (
    <li>
      <div>
        <strong>{user.username}</strong>{' '}
        <span class={user.role === 'admin' ? 'badge badge--warn' : 'badge badge--info'}>
          {admin.roles[user.role]}
        </span>{' '}
        {isMe && <span class="badge badge--good">{admin.you}</span>}
        <p class="muted small">
          № {user.id} · {user.email} · {account.since(day(user.created_at))}
        </p>
      </div>
      {!isMe && <Actions user={user} onChange={onChange} />}
    </li>
  );
}

function Actions({ user, onChange }: { user: User; onChange: () => void }) {
  const { admin, account, shop: words } = texts.value;
  const [isAsking, setAsking] = useState(false);
  const other = user.role === 'admin' ? 'customer' : 'admin';
  const change = other === 'admin' ? admin.makeAdmin : admin.makeCustomer;
  const run = (work: Promise<unknown>, text: string) =>
    void work
      .then(() => {
        say(text);
        onChange();
      })
      .catch(sayFailure);
  const name = user.username;
  return (
    <div class="toolbar">
      <button
        type="button"
        class="button button--small"
        aria-label={`${change}: ${name}`}
        onClick={() => run(shop.users.setRole(user.id, other), admin.roleSet(name, admin.roles[other]))}
      >
        {change}
      </button>
      <button
        type="button"
        class="button button--small"
        aria-label={`${admin.signOutUser}: ${name}`}
        onClick={() => run(shop.users.revokeSessions(user.id), admin.userOut(name))}
      >
        {admin.signOutUser}
      </button>
      <button
        type="button"
        class="button button--small button--danger"
        aria-label={`${admin.deleteUser}: ${name}`}
        onClick={() => setAsking(true)}
      >
        {admin.deleteUser}
      </button>
      {isAsking && (
        <Confirm
          title={admin.deleteUserTitle(name)}
          text={account.deleteText}
          yes={admin.deleteUser}
          no={words.cancel}
          onYes={() => {
            setAsking(false);
            run(shop.users.delete(user.id), admin.userDeleted(name));
          }}
          onNo={() => setAsking(false)}
        />
      )}
    </div>
  );
}
