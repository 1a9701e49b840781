import openapiTS, { astToString } from 'openapi-typescript';

const HEADER = '// Written by `npm run docs` from docs/openapi.json.\n\n';

/** The types of an OpenAPI document: `src/api.types.ts`. */
export async function clientTypes(document: string): Promise<string> {
  const nodes = await openapiTS(document, { exportType: true, defaultNonNullable: false });
  return HEADER + astToString(nodes);
}
