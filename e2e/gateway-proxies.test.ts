import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { call } from './support/http.ts';
import { describeWithNginx, type Gateway, startFrontProxy, startGateway } from './support/nginx.ts';
import { freePort } from './support/process.ts';
import { sendRaw } from './support/raw-request.ts';
import { type Stack, startStack } from './support/stack.ts';

/** Only on Linux can clients use any address of 127.0.0.0/8. */
const testOnLinux = process.platform === 'linux' ? test : test.skip;

const named = (name: string) => ({ username: name, email: `${name}@example.com`, password: 'securepass123' });

describeWithNginx('the address of a client, behind the gateway', () => {
  let stack: Stack;
  const open: (Gateway | { close(): Promise<void> })[] = [];
  beforeAll(async () => {
    stack = await startStack({
      only: ['user-service'],
      env: { TRUST_PROXY: '1', RATE_LIMIT_ENABLED: 'true', RATE_LIMIT_REGISTER: '3/86400' },
    });
  });
  afterAll(async () => {
    for (const proxy of open.reverse()) await proxy.close();
    await stack?.close();
  });
  const gatewayWith = async (env: Record<string, string>) => {
    const users = [new URL(stack.user.url).host];
    const noReplica = [`127.0.0.1:${await freePort()}`];
    const services = { 'user-service': users, 'product-service': noReplica, 'order-service': noReplica };
    const gateway = await startGateway({ services, env });
    open.push(gateway);
    return gateway;
  };

  test('is never taken from the headers of the client', async () => {
    const gateway = await gatewayWith({});
    const statuses: number[] = [];
    for (const n of [1, 2, 3, 4]) {
      const options = { headers: { 'x-forwarded-for': `203.0.113.${n}` } };
      const { status } = await call(
        'POST',
        `${gateway.url}/api/users/register`,
        named(`spoof-${n}`),
        options,
      );
      statuses.push(status);
    }
    expect(statuses).toEqual([201, 201, 201, 429]);
  });

  testOnLinux('is the one seen by a trusted proxy in front of the gateway', async () => {
    const gateway = await gatewayWith({ TRUST_PROXY: '1' });
    const front = await startFrontProxy(gateway.url);
    open.push(front);
    const register = (name: string, from: string, claimed: string) => {
      const body = JSON.stringify(named(name));
      const head = `POST /api/users/register HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: ${claimed}\r\nContent-Type: application/json`;
      const text = `${head}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
      return sendRaw(Number(new URL(front.url).port), text, from);
    };
    const statuses: number[] = [];
    for (const n of [1, 2, 3, 4])
      statuses.push((await register(`one-${n}`, '127.0.0.2', `203.0.113.${n}`)).status);
    expect(statuses).toEqual([201, 201, 201, 429]);
    const other = await register('other', '127.0.0.3', '127.0.0.2');
    expect(other.status).toBe(201);
    const { access_token } = other.body['tokens'] as { access_token: string };
    const sessions = await call('GET', `${gateway.url}/api/users/me/sessions`, undefined, {
      token: access_token,
    });
    expect(sessions.body['sessions']?.['0']?.['ip']).toBe('127.0.0.3');
    expect((await gateway.log()).map(({ client }) => client)).toContain('127.0.0.3');
  });

  test('needs a valid TRUST_PROXY: the gateway does not start otherwise', async () => {
    await expect(gatewayWith({ TRUST_PROXY: 'yes' })).rejects.toThrow('TRUST_PROXY: must be a whole number');
    await expect(gatewayWith({ CORS_ORIGINS: "https://a.example'; }" })).rejects.toThrow('CORS_ORIGINS');
  });
});
