import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import express, { type Express } from 'express';
import type { Metrics } from '../runtime/metrics.ts';
import type { Route } from './define-route.ts';
import { docsPage, START_SCRIPT } from './docs-page.ts';
import { type ApiDescription, openApiDocument } from './openapi.ts';
import { PAGE_HEADERS } from './security-headers.ts';

interface SystemRoutesOptions extends ApiDescription {
  routes: Route[];
  metrics: Metrics;
}

const ASSETS = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const SERVED_ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

export const SYSTEM_PATHS = ['/openapi.json', '/docs', '/metrics'];

/** `/openapi.json`, `/metrics`, and `/docs` with its assets served from the npm package, so that no other host is needed. */
export function mountSystemRoutes(
  app: Express,
  { service, description, tags, routes, metrics }: SystemRoutesOptions,
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
  const assets = express.static(ASSETS, { index: false, maxAge: '1d' });
  app.get('/docs', (request, response) => {
    response.type('html').set(PAGE_HEADERS).set('Cache-Control', 'no-cache');
    response.send(docsPage(service, request.headers.host));
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
