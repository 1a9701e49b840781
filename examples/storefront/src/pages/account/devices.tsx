import type { Session } from '@shop/client';
import { useLocation } from 'preact-iso';
import { texts } from '../../i18n/index.ts';
import { deviceName } from '../../lib/device-name.ts';
import { moment } from '../../lib/format.ts';
import { useResource } from '../../lib/use-resource.ts';
import { shop, user } from '../../shop.ts';
import { Icon } from '../../ui/icon.tsx';
import { Failed, Skeleton } from '../../ui/states.tsx';
import { say, sayFailure } from '../../ui/toast.tsx';

/** Where the user is signed in, and a way to end that. */
export function Devices() {
  const { account } = texts.value;
  const { route } = useLocation();
  const { data, failure, reload, replace } = useResource('devices', (signal) =>
    shop.session.list({ signal }),
  );
  async function end({ id }: Session) {
    try {
      await shop.session.revoke(id);
      replace((data ?? []).filter((session) => session.id !== id));
      say(account.deviceOut);
    } catch (error) {
      sayFailure(error);
    }
  }
  async function endAll() {
    await shop.session.logoutAll().catch(sayFailure);
    user.value = null;
    route('/');
  }
  return (
    <section class="panel">
      <h2>{account.devices}</h2>
      <p class="muted">{account.devicesText}</p>
      {failure !== undefined && !data ? (
        <Failed failure={failure} onRetry={reload} />
      ) : !data ? (
        <Skeleton rows={2} />
      ) : (
        <ul class="tile-list">
          {data.map((session) => (
            <Device key={session.id} session={session} onEnd={() => void end(session)} />
          ))}
        </ul>
      )}
      <p>
        <button type="button" class="button" onClick={() => void endAll()}>
          {account.everywhereOut}
        </button>
      </p>
    </section>
  );
}

function Device({ session, onEnd }: { session: Session; onEnd: () => void }) {
  const { account } = texts.value;
  const name = deviceName(session.user_agent) ?? account.unknownDevice;
  return (
    <li>
      <div class="toolbar">
        <Icon name="device" />
        <div>
          <strong>{name}</strong>{' '}
          {session.current && <span class="badge badge--good">{account.thisDevice}</span>}
          <p class="muted small">
            {account.lastUsed(moment(session.last_used_at))} · {session.ip}
          </p>
        </div>
      </div>
      {!session.current && (
        <button
          type="button"
          class="button button--small"
          aria-label={`${account.signOut}: ${name}`}
          onClick={onEnd}
        >
          {account.signOut}
        </button>
      )}
    </li>
  );
}
