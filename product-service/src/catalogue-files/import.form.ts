import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { AppError } from '@shop/service-kit/errors/app-error';
import { MalformedRequest } from '@shop/service-kit/errors/http-errors';
import type { BodyStream } from '@shop/service-kit/http/body-stream';
import { UnreadableFile } from './import.errors.ts';
import { CSV, NDJSON } from './import.reader.ts';

/** The body of a browser form. The file is in the field `file`; other fields are ignored. */
export const FORM = 'multipart/form-data';

const LIMITS = { files: 10, fields: 20, fieldSize: 10_000, parts: 30, headerPairs: 20, headerSize: 8192 };

/**
 * The file of a form, streamed. Its type is taken from its part or its name; CSV if neither says.
 * @throws MalformedRequest, UnreadableFile for a form without a file, and the errors of the body stream
 */
export function openForm({ contentType, bytes }: BodyStream): Promise<BodyStream> {
  return new Promise((resolve, reject) => {
    let file: Readable | undefined;
    const form = parserOf(contentType);
    form.on('file', (field, part, name, _encoding, type) => {
      // The reader of the file gets its error.
      part.on('error', () => undefined);
      if (field !== 'file' || file !== undefined) return void part.resume();
      file = part;
      resolve({ mediaType: mediaTypeOf(type, name), contentType: type, bytes: bytesOf(part) });
    });
    pipeline(Readable.from(bytes, { objectMode: false }), form).then(
      () => reject(new UnreadableFile('The form has no file in a field named file')),
      (error: unknown) => {
        const failure = error instanceof AppError ? error : new MalformedRequest('The form cannot be read');
        file?.destroy(failure);
        reject(failure);
      },
    );
  });
}

/** A part that ends early carries an error of the parser. */
async function* bytesOf(part: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* part;
  } catch (error) {
    throw error instanceof AppError ? error : new MalformedRequest('The form ended too early');
  }
}

function parserOf(contentType: string): BusboyInstance {
  try {
    return new Busboy({ headers: { 'content-type': contentType }, limits: LIMITS });
  } catch {
    throw new MalformedRequest('The form has no boundary');
  }
}

function mediaTypeOf(type: string, name: string): string {
  return type.toLowerCase() === NDJSON || /\.(ndjson|jsonl)$/i.test(name) ? NDJSON : CSV;
}
