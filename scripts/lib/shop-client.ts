import { errorCode, Failure } from './failure.ts';
import { sleep } from './processes.ts';

/** For the import of a catalogue on a busy machine; services end every other request much sooner. */
const TIMEOUT_MS = 60_000;
const RETRIES = 20;

/** The parts of a response that scripts use. */
interface Body {
  tokens?: { access_token: string };
  user?: { id: number; role: string };
  products?: { id: number; sku: string | null }[];
  order?: { id: number };
  total_orders?: number;
  next_cursor?: string | null;
  /** Rows of an import. */
  created?: number;
  updated?: number;
  failed?: number;
  errors?: (string | { line: number; message: string })[];
  detail?: string;
  error?: string;
  code?: string;
}

type Response = { status: number; body: Body };

export interface ShopRequest {
  /** POST if not given. */
  method?: string;
  url: string;
  /** Sent as JSON; a string is sent as it is, with the type that `headers` names. */
  body?: unknown;
  token?: string;
  headers?: Record<string, string>;
  /** Called before each pause that the shop asks for. */
  onWait: (seconds: number) => void;
}

/** Sends a request, and repeats it after a 429 or a 503 with `Retry-After`. Only for requests that may be repeated. */
export async function callShop(request: ShopRequest): Promise<Response> {
  for (let attempt = 0; ; attempt++) {
    const response = await send(request);
    const retryAfter = response.headers.get('retry-after');
    const isPassing = response.status === 429 || (response.status === 503 && retryAfter !== null);
    if (!isPassing || attempt === RETRIES) {
      const json = (await response.json().catch(() => ({}))) as Body;
      return { status: response.status, body: json };
    }
    await response.arrayBuffer();
    const seconds = Math.max(1, Number(retryAfter) || 1);
    request.onWait(seconds);
    await sleep(seconds * 1000);
  }
}

/** Status and messages of an error response. */
export function reasonOfRefusal({ status, body }: Response) {
  const texts = body?.errors?.map((item) => (typeof item === 'string' ? item : item.message)).join(', ');
  return `${status} ${texts || (body?.detail ?? body?.error ?? 'no reason given')}`;
}

async function send({ method = 'POST', url, body, token, headers }: ShopRequest) {
  try {
    return await fetch(url, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    const cause = error instanceof Error && error.cause ? error.cause : error;
    const reason = errorCode(cause) ?? (error instanceof Error ? error.message : String(error));
    throw new Failure(`There is no response from ${url} (${reason}). Start the shop with: npm start`);
  }
}
