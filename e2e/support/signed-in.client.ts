import { call, type Result } from './http.ts';
import { sleep } from './process.ts';

interface Tokens {
  access_token: string;
  refresh_token: string;
}

interface ClientOptions {
  userUrl: string;
  productUrl: string;
  orderUrl: string;
  /** The product that it orders. */
  product: number;
  name: string;
}

/** Milliseconds between two rounds of a client's requests. */
const PAUSE = 200;
/**
 * 503s of a busy machine, which the client repeats until it gets another response. If keys could never be read, it would
 * never stop.
 */
const OVERLOADED =
  /cannot reach its database|product_service_unavailable|keys of access tokens cannot be read/;

/** A client that uses the shop continuously and counts failures. */
export async function startClient({ userUrl, productUrl, orderUrl, product, name }: ClientOptions) {
  const users = `${userUrl}/api/users`;
  const credentials = { username: name, password: 'securepass123' };
  const failures: string[] = [];
  let requests = 0;
  let retries = 0;
  let isOver = false;

  const ask = async (...request: Parameters<typeof call>): Promise<Result | Error> => {
    for (;;) {
      requests += 1;
      const response = await call(...request).catch((error: Error) => error);
      if (isFailure(response) || !OVERLOADED.test(response.text)) return response;
      retries += 1;
      await sleep(500);
    }
  };
  const expectStatus = async (status: number, method: string, url: string, body?: object, token?: string) => {
    const response = await ask(method, url, body, { token });
    if (!isFailure(response) && response.status === status) return response;
    const reason = isFailure(response) ? response.message : response.text;
    failures.push(`${method} ${new URL(url).pathname}: ${reason}`);
    return undefined;
  };
  const tokensOf = (response: Result | undefined) =>
    response?.body['tokens'] as unknown as Tokens | undefined;

  const registration = { ...credentials, email: `${name}@example.com` };
  let tokens = tokensOf(await expectStatus(201, 'POST', `${users}/register`, registration));
  const use = async () => {
    const { access_token: token = '', refresh_token = '' } = tokens ?? {};
    const order = { products: [{ product_id: product, quantity: 1 }] };
    await expectStatus(200, 'GET', `${users}/me`, undefined, token);
    await expectStatus(200, 'GET', `${orderUrl}/api/orders`, undefined, token);
    await expectStatus(201, 'POST', `${orderUrl}/api/orders`, order, token);
    await expectStatus(201, 'POST', `${productUrl}/api/products`, { name: 'A thing', price: 1 }, token);
    await expectStatus(200, 'POST', `${users}/login`, credentials);
    tokens = tokensOf(await expectStatus(200, 'POST', `${users}/refresh`, { refresh_token })) ?? tokens;
    await sleep(PAUSE);
  };
  const running = (async () => {
    while (!isOver) await use();
  })();
  return {
    /** Its current tokens. */
    tokens: () => tokens,
    /** Stops it. @returns its counts */
    async stop() {
      isOver = true;
      await running;
      return { requests, retries, failures };
    },
  };
}

/** Errors of `fetch` are no `Error` of the context that Jest runs tests in. */
const isFailure = (response: Result | Error): response is Error => !('status' in response);
