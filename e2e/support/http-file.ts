/** One request of a `.http` file. */
export interface HttpRequest {
  /** Its `operationId`. */
  name: string;
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** The requests of a file of docs/http. @param values of its variables; the others stay as they are */
export function requestsOf(file: string, values: Record<string, string> = {}): HttpRequest[] {
  const [, ...blocks] = file.split(/^### .*$/m);
  return blocks.map((block) => {
    const text = block.replaceAll(/\{\{(.+?)\}\}/g, (all, name) => values[name] ?? all);
    const [head = '', ...rest] = text.trim().split('\n\n');
    const [line = '', ...headers] = head.split('\n').filter((one) => !one.startsWith('#'));
    const [method = '', url = ''] = line.split(' ');
    return {
      name: /^# @name (\w+)$/m.exec(head)?.[1] ?? '',
      method,
      url,
      headers: Object.fromEntries(headers.map((one) => one.split(': '))),
      body: rest.join('\n\n'),
    };
  });
}
