import { ADDRESSES, type ExampleRequest, requestsByTag } from './requests.ts';

/** `docs/http/*.http`, for the REST Client of VS Code and for httpyac: one file for each tag. */
export function httpFiles(document: string): Record<string, string> {
  const byTag = requestsByTag(document);
  const login = [...byTag.values()].flat().find(({ operationId }) => operationId === 'login');
  if (login === undefined) throw new Error('There is no operation login');
  return Object.fromEntries(
    [...byTag].map(([tag, requests]) => {
      // A named request can be used in its own file only.
      const others = requests.filter((request) => request !== login);
      const needsLogin = requests.some((request) => request === login || !request.isPublic);
      const all = needsLogin ? [login, ...others] : others;
      return [`docs/http/${tag.toLowerCase()}.http`, [headOf(tag), ...all.map(blockOf)].join('\n')];
    }),
  );
}

function headOf(tag: string): string {
  const variables = Object.entries(ADDRESSES.services).map(([name, url]) => `@${name} = ${url}`);
  return `# ${tag}. Written by \`npm run docs\`. Behind the gateway all addresses are ${ADDRESSES.gateway.userUrl}.
${variables.join('\n')}
# Of the request \`login\` below, once it was sent; \`registerUser\` in users.http makes the account.
@accessToken = {{login.response.body.tokens.access_token}}
@refreshToken = {{login.response.body.tokens.refresh_token}}
`;
}

function blockOf(request: ExampleRequest): string {
  const { operationId, summary, method, address, isPublic, parameters, body } = request;
  const path = request.path.replaceAll(/\{(\w+)\}/g, (_, name) => exampleOf(request, name));
  const optional = parameters.filter((parameter) => parameter.in !== 'path');
  const lines = [
    `### ${summary}`,
    `# @name ${operationId}`,
    ...optional.map(
      ({ name, in: place, description }) => `# ${place} ${name}: ${description.split('\n')[0]}`,
    ),
    `${method.toUpperCase()} {{${address}}}${path}`,
    ...(isPublic ? [] : ['Authorization: Bearer {{accessToken}}']),
    ...(operationId === 'placeOrder' ? ['Idempotency-Key: {{$guid}}'] : []),
    ...(body === undefined ? [] : [`Content-Type: ${body.type}`, '', body.text]),
  ];
  return `${lines.join('\n')}\n`;
}

const exampleOf = ({ parameters }: ExampleRequest, name: string) =>
  parameters.find((parameter) => parameter.in === 'path' && parameter.name === name)?.example ?? '';
