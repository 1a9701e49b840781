import openapiTS, { astToString } from 'openapi-typescript';
import { type Document, methodsOf } from './generate-methods.ts';

const HEADER = '// Written by `npm run docs` from docs/openapi.json.\n\n';

/** What the client has of an OpenAPI document, by the path of the file: its types, and a method for each operation. */
export async function clientFiles(text: string): Promise<Record<string, string>> {
  const document = JSON.parse(text) as Document;
  const types = await openapiTS(text, { exportType: true, defaultNonNullable: false });
  const names = Object.keys(document.components.schemas);
  const aliases = names.map((name) => `export type ${name} = components['schemas']['${name}'];\n`);
  return {
    'clients/typescript/src/api.types.ts': HEADER + astToString(types) + aliases.join(''),
    'clients/typescript/src/api.methods.ts': HEADER + methodsOf(document),
  };
}
