import type { AuditEvent } from '@shop/client';
import { useLocation } from 'preact-iso';
import { texts } from '../../i18n/index.ts';
import { deviceName } from '../../lib/device-name.ts';
import { moment } from '../../lib/format.ts';
import { useResource } from '../../lib/use-resource.ts';
import { shop } from '../../shop.ts';
import { Field } from '../../ui/field.tsx';
import { Form } from '../../ui/form.tsx';
import { Empty, Failed, Skeleton, TableBox } from '../../ui/states.tsx';
import { sayFailure } from '../../ui/toast.tsx';
import { AdminPage } from './layout.tsx';

const PER_PAGE = 30;

export default function AuditPage() {
  return <AdminPage title={texts.value.admin.audit}>{() => <Audit />}</AdminPage>;
}

function Audit() {
  const { admin, list } = texts.value;
  const { query, route } = useLocation();
  const userId = Number(query['user_id']) || undefined;
  const filter = { per_page: PER_PAGE, user_id: userId };
  const { data, failure, reload, replace } = useResource(`audit ${userId}`, (signal) =>
    shop.users.audit(filter, { signal }),
  );
  async function older(cursor: string) {
    const next = await shop.users.audit({ ...filter, cursor });
    if (data) replace({ ...next, events: [...data.events, ...next.events] });
  }
  const cursor = data?.next_cursor ?? null;
  return (
    <div class="stack">
      <Form
        submit={list.apply}
        onSubmit={async ({ user_id }) => route(user_id ? `/admin/audit?user_id=${user_id}` : '/admin/audit')}
      >
        <Field
          name="user_id"
          label={admin.userId}
          inputMode="numeric"
          isOptional
          defaultValue={userId ? String(userId) : ''}
        />
      </Form>
      {failure !== undefined && !data ? (
        <Failed failure={failure} onRetry={reload} />
      ) : !data ? (
        <Skeleton rows={8} height="2.8rem" />
      ) : data.events.length === 0 ? (
        <Empty icon="file" title={admin.none} />
      ) : (
        <EventTable events={data.events} />
      )}
      {cursor !== null && (
        <p class="pager">
          <button type="button" class="button" onClick={() => void older(cursor).catch(sayFailure)}>
            {admin.more}
          </button>
        </p>
      )}
    </div>
  );
}

function EventTable({ events }: { events: AuditEvent[] }) {
  const { admin } = texts.value;
  return (
    <TableBox label={admin.audit}>
      <thead>
        <tr>
          <th scope="col">{admin.when}</th>
          <th scope="col">{admin.event}</th>
          <th scope="col">{admin.user}</th>
          <th scope="col">{admin.by}</th>
          <th scope="col">{admin.from}</th>
        </tr>
      </thead>
      <tbody>
        {events.map((event) => (
          <tr key={event.id}>
            <td class="small">{moment(event.created_at)}</td>
            <td>
              <code>{event.event}</code>
            </td>
            <td>{event.user_id ?? admin.nothing}</td>
            <td>{event.actor_id ?? admin.nothing}</td>
            <td class="small muted">
              {[event.ip, deviceName(event.user_agent)].filter(Boolean).join(' · ')}
            </td>
          </tr>
        ))}
      </tbody>
    </TableBox>
  );
}
