import { Agent } from 'node:http';
import { createHttpClient } from '../http/http-client.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { createServiceTokenSigner } from '../tokens/service-token.ts';
import { CHANGES_PATH, type ChangesPage, changesPage, type ReadChanges } from './account-changes.ts';

/** Milliseconds. */
const TIMEOUT = 2000;
const MAX_RESPONSE = 1_000_000;

interface AccountsClientOptions {
  /** `USER_SERVICE_URL` */
  url: string;
  serviceTokenSecret: string;
  /** Name of the calling service. */
  service: string;
  metrics: Pick<Metrics, 'outboundCalls'>;
}

/**
 * Reads changes of accounts from user-service, which checks service tokens by its own clock: if this machine's differs, the
 * time in a refusal corrects it.
 */
export function createAccountsClient({ url, serviceTokenSecret, service, metrics }: AccountsClientOptions) {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const http = createHttpClient({
    target: 'user-service',
    url,
    agent,
    maxResponse: MAX_RESPONSE,
    metrics,
  });
  const signer = (offset: number) =>
    createServiceTokenSigner(serviceTokenSecret, service, 'user-service', () => Date.now() + offset);
  let token = signer(0);

  const ask = (after: string | undefined) =>
    http.get<unknown>(
      after === undefined ? CHANGES_PATH : `${CHANGES_PATH}?${new URLSearchParams({ after })}`,
      {
        headers: { authorization: `Bearer ${token()}` },
        signal: AbortSignal.timeout(TIMEOUT),
      },
    );
  const readChanges: ReadChanges = async (after): Promise<ChangesPage> => {
    let response = await ask(after);
    const time = Date.parse(String(response.headers['date']));
    if (response.status === 401 && !Number.isNaN(time)) {
      token = signer(time - Date.now());
      response = await ask(after);
    }
    if (response.status !== 200) throw new Error(`user-service returned ${response.status}`);
    return changesPage.parse(response.data);
  };
  return { readChanges, close: () => agent.destroy() };
}
