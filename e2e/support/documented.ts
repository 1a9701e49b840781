import { readFileSync } from 'node:fs';
import { watchExchange } from '@shop/service-kit/testing/documented';
import { observers } from './http.ts';

/** For Jest's `setupFilesAfterEnv`: a response that contradicts docs/openapi.json fails its test. */
const document = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'));
observers.push((exchange) => watchExchange(document, exchange));
