import type { components, operations, paths } from './api.types.ts';

export type Schemas = components['schemas'];

/** Problems that have members of their own, such as the `details` of `insufficient_stock`. */
export type NamedProblem = Schemas[Extract<keyof Schemas, `${string}Problem`>];

export type Path = keyof paths;
export type Method<P extends Path> = {
  [M in keyof paths[P]]: [paths[P][M]] extends [{ responses: unknown }] ? M : never;
}[keyof paths[P]];
type JsonOf<Response> = Response extends { content: { 'application/json': infer Body } } ? Body : undefined;
type Good = 200 | 201 | 202 | 204;
/** Body of a good response. */
export type Result<P extends Path, M extends Method<P>> = paths[P][M] extends { responses: infer R }
  ? JsonOf<R[keyof R & Good]>
  : never;

type Loose<T> = { [Name in keyof T]?: T[Name] | undefined };
type WithLists<T> = T extends { ids?: string } ? Omit<T, 'ids'> & { ids?: string | readonly number[] } : T;
/** Query parameters of an operation, by its `operationId`; those that are undefined are left out. */
export type Query<Id extends keyof operations> = Loose<
  WithLists<NonNullable<operations[Id]['parameters']['query']>>
>;
/** The same without what paging sets itself. */
export type Filter<Id extends keyof operations> = Omit<Query<Id>, 'page' | 'cursor'>;
/** JSON body of an operation. */
export type Body<Id extends keyof operations> = operations[Id] extends {
  requestBody?: { content: { 'application/json': infer Json } };
}
  ? NonNullable<Json>
  : never;

/** What every call takes. */
export interface CallOptions {
  /** Ends the call, waiting and retries included; it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Pass `{ signal }`, not the AbortController, which has this method. */
  abort?: never;
}

/** Of calls that read something with an ETag. */
export interface ReadOptions<T extends object> extends CallOptions {
  /** An earlier result of the same call: returned itself while it is current. The response has no body then. */
  ifNoneMatch?: T | undefined;
}

/** Of calls that change a product. */
export interface ChangeOptions extends CallOptions {
  /** The product as it was read, or its ETag: where it has changed since, the call fails with `version_mismatch`. */
  ifMatch?: object | string | undefined;
}

/** Of an order. */
export interface PlaceOptions extends CallOptions {
  /** Made by the client where it is left out. Keep one with the basket to try again after a reload. */
  idempotencyKey?: string | undefined;
}
