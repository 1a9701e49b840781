const SENTINEL_PORT = 26_379;

/**
 * Where Redis is: `redis://user:password@host:6379/0`, or a primary that Sentinels know by its name,
 * `redis+sentinel://user:password@sentinel1:26379,sentinel2/name?sentinel_password=…`. With `rediss` for TLS. User and
 * password are those of Redis itself.
 */
const REDIS_URL = /^rediss?:\/\/|^rediss?\+sentinel:\/\/(?:[^@/]*@)?[^@/]+\/[^/?]+(?:\?|$)/;

export function isRedisAddress(url: string): boolean {
  try {
    if (sentinelOptions(url) === undefined) decodeURIComponent(new URL(url).password);
    return REDIS_URL.test(url);
  } catch {
    return false;
  }
}

/** Options of ioredis on top of the address, or undefined where its own reading of the address will do. */
export function sentinelOptions(url: string) {
  if (!/^rediss?\+sentinel:/.test(url)) return undefined;
  const [, scheme = '', login = '', hosts = '', name = '', query = ''] =
    /^(\w+)\+sentinel:\/\/(?:([^@/]*)@)?([^/]+)\/([^/?]+)\??(.*)$/.exec(url) ?? [];
  const [username, password] = login.split(':').map(decodeURIComponent);
  const sentinelPassword = new URLSearchParams(query).get('sentinel_password');
  const tls = scheme === 'rediss' ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true } : {};
  return {
    sentinels: hosts.split(',').map(toAddress),
    name: decodeURIComponent(name),
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...(sentinelPassword === null ? {} : { sentinelPassword }),
    ...tls,
    // A Sentinel reports a failover, also where the old primary does not close its connections.
    failoverDetector: true,
    // The old primary came back as a replica: the Sentinels know the new one.
    reconnectOnError: ({ message }: Error) => message.startsWith('READONLY'),
  };
}

function toAddress(text: string) {
  const { hostname, port } = new URL(`http://${text}`);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || SENTINEL_PORT) };
}
