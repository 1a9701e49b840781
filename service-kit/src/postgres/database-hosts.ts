import { Client, type ClientConfig } from 'pg';

/** Host names of a connection string, with everything before and after them. */
const PARTS = /^(postgres(?:ql)?:\/\/(?:[^@/?#]*@)?)([^/?#]*)(.*)$/;

/**
 * The connection strings of `postgresql://user@host1,host2:5433/database`, one per host, as libpq reads them. A host
 * without a port has 5432.
 */
export function connectionStringsOf(connectionString: string): string[] {
  const [, before, hosts, after = ''] = PARTS.exec(connectionString) ?? [];
  if (hosts === undefined || !hosts.includes(',')) return [connectionString];
  return hosts.split(',').map((host) => `${before}${host}${after}`);
}

/** Whether `pg` can read the address of each host. Connects to none. */
export function isReadable(connectionString: string): boolean {
  try {
    for (const url of connectionStringsOf(connectionString)) new Client({ connectionString: url });
    return true;
  } catch {
    return false;
  }
}

const wantsPrimary = (connectionString: string) =>
  connectionString.includes('target_session_attrs=read-write') ||
  connectionString.includes('target_session_attrs=primary');

type Connected = (error?: Error | null) => void;

/**
 * A constructor for the pool, which calls it for each connection: `pg` knows one host only. A connection that fails, or
 * that reaches a replica, makes the next one try the next host.
 * @returns the constructor, and how many hosts there are to try
 */
export function clientsOf(connectionString: string) {
  const urls = connectionStringsOf(connectionString);
  // Several hosts are a primary and its replicas: only the one that takes writes is of use.
  const mustWrite = urls.length > 1 || wantsPrimary(connectionString);
  let current = 0;
  const construct = (Target: typeof Client, [config]: [ClientConfig?]) => {
    const chosen = current;
    const client = new Target({ ...config, connectionString: urls[chosen] });
    const connect = client.connect.bind(client) as (callback: Connected) => void;
    client.connect = ((connected: Connected) =>
      connect((failure) => {
        const done = (error?: Error | null) => {
          // Of several connections that fail at once, the first one moves on.
          if (error && current === chosen) current = (chosen + 1) % urls.length;
          connected(error);
        };
        if (failure || !mustWrite) return done(failure);
        refuseReplica(client).then(
          () => done(),
          (error: Error) => client.end(() => done(error)),
        );
      })) as typeof client.connect;
    return client;
  };
  return { Client: new Proxy(Client, { construct }) as new () => Client, hosts: urls.length };
}

/** What libpq does for `target_session_attrs=read-write`. @throws Error with the SQLSTATE that a write would have failed with */
async function refuseReplica(client: Client): Promise<void> {
  const { rows } = await client.query<{ transaction_read_only: string }>('SHOW transaction_read_only');
  if (rows[0]?.transaction_read_only === 'on')
    throw Object.assign(new Error('The database host does not take writes'), { code: '25006' });
}
