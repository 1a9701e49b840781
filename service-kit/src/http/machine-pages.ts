import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import express, { type Express } from 'express';
import helmet from 'helmet';
import type { Metrics } from '../runtime/metrics.ts';
import type { Route } from './define-route.ts';
import { type ApiDescription, openApiDocument } from './openapi.ts';

interface MachinePagesOptions extends ApiDescription {
  routes: Route[];
  metrics: Metrics;
}

const ASSETS = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const SERVED_ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

export const MACHINE_PAGES = ['/openapi.json', '/docs', '/metrics'];

/** `/openapi.json`, `/docs` with its assets out of the package (no other host is asked), and `/metrics`. */
export function mountMachinePages(
  app: Express,
  { service, description, tags, routes, metrics }: MachinePagesOptions,
): void {
  app.locals['openapi'] = openApiDocument({ service, description, tags }, routes);
  const document = JSON.stringify(app.locals['openapi']);
  app.get('/openapi.json', (_request, response) => {
    response.type('application/json').set('Cache-Control', 'no-cache').send(document);
  });
  app.get('/metrics', async (_request, response) => {
    response
      .type(metrics.registry.contentType)
      .set('Cache-Control', 'no-store')
      .send(await metrics.registry.metrics());
  });
  const docsPolicy = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        connectSrc: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        frameAncestors: ["'none'"],
      },
    },
  });
  const assets = express.static(ASSETS, { index: false, maxAge: '1d' });
  app.get('/docs', docsPolicy, (_request, response) => {
    response.type('html').set('Cache-Control', 'no-cache').send(docsPage(service));
  });
  app.get('/', (_request, response) => response.redirect('/docs'));
  app.get('/docs/start.js', (_request, response) => {
    response.type('text/javascript').set('Cache-Control', 'no-cache').send(START_SCRIPT);
  });
  app.get('/docs/:asset', (request, response, next) => {
    if (!SERVED_ASSETS.includes(request.params.asset)) return next();
    request.url = `/${request.params.asset}`;
    return assets(request, response, next);
  });
}

/** Examples get a user name that is free, so that registering with the prefilled body succeeds, and logging in after it. */
const START_SCRIPT = `const name = 'ada_' + Date.now().toString(36);
const response = await fetch('/openapi.json');
const spec = JSON.parse((await response.text()).replaceAll('ada_lovelace', name));
SwaggerUIBundle({ spec, dom_id: '#docs', deepLinking: true, persistAuthorization: true, validatorUrl: null });
`;

function docsPage(service: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${service} API</title>
<link rel="icon" href="/docs/favicon-32x32.png"><link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script type="module" src="/docs/start.js"></script>
</body>
</html>
`;
}
