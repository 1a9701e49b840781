import { signal } from '@preact/signals';

/** The share of a file that is with the shop: 0 to 1; undefined while no file is on its way. */
export const uploaded = signal<number | undefined>(undefined);

/** `fetch`, which says nothing of how far an upload is: a file is sent by XMLHttpRequest, and `uploaded` follows it. */
export const uploadingFetch: typeof fetch = (input, init) =>
  init?.body instanceof Blob ? send(String(input), init, init.body) : fetch(input, init);

function send(
  url: string,
  { method = 'POST', headers, signal: leave }: RequestInit,
  file: Blob,
): Promise<Response> {
  const request = new XMLHttpRequest();
  const abort = () => request.abort();
  return new Promise<Response>((resolve, reject) => {
    request.open(method, url);
    new Headers(headers).forEach((value, name) => {
      request.setRequestHeader(name, value);
    });
    request.upload.onprogress = ({ loaded, total }) => {
      uploaded.value = total === 0 ? 1 : loaded / total;
    };
    request.onload = () => resolve(responseOf(request));
    request.onerror = () => reject(new TypeError(`${method} ${url} got no response`));
    request.onabort = () => reject(leave?.reason);
    leave?.addEventListener('abort', abort);
    uploaded.value = 0;
    request.send(file);
  }).finally(() => {
    uploaded.value = undefined;
    leave?.removeEventListener('abort', abort);
  });
}

function responseOf(request: XMLHttpRequest): Response {
  const headers = new Headers();
  for (const line of request.getAllResponseHeaders().trim().split('\r\n')) {
    const [name = '', ...value] = line.split(': ');
    if (name !== '') headers.append(name, value.join(': '));
  }
  return new Response(request.responseText, { status: request.status, headers });
}
