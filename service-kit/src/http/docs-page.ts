/** Ports of the services under `npm start` and compose; their pages link to each other. */
const PAGES = { 'user-service': 5001, 'product-service': 5002, 'order-service': 5003 };

/**
 * The page of `/docs`.
 * @param host the `Host` of the request
 */
export function docsPage(service: string, host: string | undefined): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${service} API</title>
<link rel="icon" href="/docs/favicon-32x32.png"><link rel="stylesheet" href="/docs/swagger-ui.css">
<style>${STYLE}</style>
</head>
<body>
${linksTo(service, host)}<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script type="module" src="/docs/start.js"></script>
</body>
</html>
`;
}

/** Links to the pages of all services; none if this one does not run on its usual port. */
function linksTo(service: string, host = ''): string {
  const [, name, port] = /^([\w.-]+|\[[\da-f:.]+\]):(\d+)$/i.exec(host) ?? [];
  if (!Object.values(PAGES).some((usual) => String(usual) === port)) return '';
  const links = Object.entries(PAGES).map(([other, usual]) =>
    other === service ? `<b>${other}</b>` : `<a href="http://${name}:${usual}/docs">${other}</a>`,
  );
  return `<nav aria-label="Services">${links.join(' ')}</nav>\n`;
}

const STYLE = `
body { margin: 0 }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: .75rem 1.25rem; background: #1b1b1b; font: 1rem sans-serif; color: #fff }
nav a { color: #9fd3ff }
@media (max-width: 640px) {
  .swagger-ui .wrapper, .swagger-ui .scheme-container .schemes { padding: 0 .5rem }
  .swagger-ui .scheme-container .schemes .servers > label { margin-right: 0 }
  .swagger-ui .info { margin: 1rem 0 }
  .swagger-ui .opblock .opblock-summary { flex-wrap: wrap }
  .swagger-ui .opblock-summary-control { flex-wrap: wrap; min-width: 0 }
  .swagger-ui .opblock .opblock-summary-path { max-width: 100%; flex: 1 1 60%; overflow-wrap: anywhere }
  .swagger-ui .opblock-tag { flex-wrap: wrap }
  .swagger-ui table thead { display: none }
  .swagger-ui table:not(.model) :is(tbody, tr, td) { display: block; width: auto; max-width: 100%; box-sizing: border-box; padding-left: 0; padding-right: 0 }
  .swagger-ui :is(input, select, textarea) { max-width: 100% !important; min-width: 0 !important; box-sizing: border-box }
  .swagger-ui .body-param__text, .swagger-ui .highlight-code, .swagger-ui pre { max-width: calc(100vw - 4rem) }
  .swagger-ui .dialog-ux .modal-ux { width: calc(100vw - 1rem); min-width: 0 }
  .swagger-ui .model-box { max-width: calc(100vw - 3rem); overflow-x: auto; box-sizing: border-box }
}`;

/**
 * The script of the page. A cookie keeps the access token, who signed in, and the id of the latest of each thing that a
 * response has shown, such as `{ "thing": { "id": 7 } }`. Unlike localStorage, all ports of a host share it, so that one
 * login works on the pages of all services. It is sent with `/docs` only and lasts as long as an access token. Requests are
 * prefilled with them (`/api/things/{id}`, `thing_id`), and those that create a user with a free name, so that they succeed.
 */
export const START_SCRIPT = `const COOKIE = 'shop_docs';
const kept = read();
const fresh = 'ada_' + Date.now().toString(36);
const response = await fetch('/openapi.json');
const ui = SwaggerUIBundle({
  spec: prefilled(await response.json()),
  dom_id: '#docs',
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null,
  responseInterceptor: remember,
});
if (kept.token) setTimeout(() => ui.preauthorizeApiKey('accessToken', kept.token));
let isSettled = !kept.token;
ui.getStore().subscribe(() => {
  const token = ui.authSelectors.authorized()?.getIn(['accessToken', 'value']);
  if (token === kept.token) isSettled = true;
  else if (isSettled) keep({ token });
});

function read() {
  const [, value] = document.cookie.match(new RegExp('(?:^|; )' + COOKIE + '=([^;]*)')) ?? [];
  try {
    return JSON.parse(decodeURIComponent(value ?? '{}'));
  } catch {
    return {};
  }
}

function keep(changes) {
  Object.assign(kept, changes);
  const value = encodeURIComponent(JSON.stringify(kept));
  document.cookie = COOKIE + '=' + value + '; path=/docs; max-age=3600; SameSite=Strict';
}

function remember(response) {
  const { tokens, ...parts } = response.ok && response.body ? response.body : {};
  for (const [name, part] of Object.entries(parts))
    if (part?.id && (tokens || name !== 'user')) keep({ [name]: part.id });
  if (tokens && parts.user) keep({ username: parts.user.username });
  if (tokens) setTimeout(() => ui.preauthorizeApiKey('accessToken', tokens.access_token));
  return response;
}

function prefilled(document) {
  const text = JSON.stringify(document).replaceAll(/"(\\w+)_id":\\d+/g, (all, name) =>
    kept[name] ? '"' + name + '_id":' + kept[name] : all,
  );
  const sample = /"username":"(\\w+)"/.exec(text)?.[1];
  const spec = JSON.parse(sample ? text.replaceAll(sample, fresh) : text);
  for (const [path, item] of Object.entries(spec.paths)) {
    const id = kept[path.split('/')[2].replace(/s$/, '')];
    for (const { parameters = [], requestBody, responses } of Object.values(item)) {
      for (const parameter of parameters)
        if (id && parameter.in === 'path' && typeof parameter.example === 'number') parameter.example = id;
      const example = requestBody?.content['application/json']?.example;
      if (example?.username && kept.username && !responses[201]) example.username = kept.username;
    }
  }
  return spec;
}
`;
