import { sleep } from '../../../../e2e/support/process.ts';
import type { Stack } from '../../../../e2e/support/stack.ts';
import { createShop, type ShopOptions } from '../../src/index.ts';

export const PASSWORD = 'securepass123';

export const urlsOf = ({ user, product, order }: Stack) => ({
  userUrl: user.url,
  productUrl: product.url,
  orderUrl: order.url,
});

type Settings = Partial<Omit<ShopOptions, 'baseUrl' | 'userUrl' | 'productUrl' | 'orderUrl'>>;

let names = 0;

/** A client that is signed in as a new user. */
export async function signedIn(stack: Stack, settings: Settings = {}) {
  const shop = createShop({ ...urlsOf(stack), fetch: patientFetch, ...settings });
  const username = `user${++names}`;
  const user = await shop.session.register({
    username,
    email: `${username}@example.com`,
    password: PASSWORD,
  });
  return { shop, user };
}

/** What the call rejects with. */
export const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (value) => {
      throw new Error(`It did not fail: ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );

export interface Sent {
  method: string;
  path: string;
  status: number;
  headers: Headers;
  /** Seconds, of the response. */
  retryAfter: number | undefined;
  /** Milliseconds: when the request was sent, and when its response was there. */
  sentAt: number;
  respondedAt: number;
}

/** Repeats what a service refused because the machine is busy, which is not the fault of the client. */
export const patientFetch: typeof fetch = async (...request) => {
  for (;;) {
    const response = await fetch(...request);
    if (response.status !== 503 || !(await response.clone().text()).includes('"unavailable"'))
      return response;
    await sleep(500);
  }
};

type Change = (response: Response, sent: Sent) => Response | Promise<Response>;

/** A fetch that records what was sent, in the order of the responses. `change` may replace a response, or throw. */
export function recording(change: Change = (response) => response) {
  const sent: Sent[] = [];
  return {
    sent,
    of: (method: string, path: string) => sent.filter((one) => one.method === method && one.path === path),
    async fetch(...[input, init]: Parameters<typeof fetch>): Promise<Response> {
      const sentAt = performance.now();
      const response = await patientFetch(input, init);
      const { pathname } = new URL(String(input));
      const retryAfter = response.headers.get('retry-after');
      const one = {
        method: init?.method ?? 'GET',
        path: pathname,
        status: response.status,
        headers: new Headers(init?.headers),
        retryAfter: retryAfter === null ? undefined : Number(retryAfter),
        sentAt,
        respondedAt: performance.now(),
      };
      sent.push(one);
      return change(response, one);
    },
  };
}
