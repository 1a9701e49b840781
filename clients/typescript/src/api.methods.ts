// Written by `npm run docs` from docs/openapi.json.

import type { Calls } from './calls.ts';
import { everyRow } from './paging.ts';
import type { Body, CallOptions, ChangeOptions, Filter, PlaceOptions, Query, ReadOptions, Schemas } from './types.ts';

export const sessionMethods = ({ send, take }: Calls) => ({
  /** Open an account and sign in. */
  register: (body: Body<'registerUser'>, options?: CallOptions) =>
    send('post', '/api/users/register', { isOpen: true, body }, options),
  /** Sign in with username or email. */
  login: (body: Body<'login'>, options?: CallOptions) =>
    send('post', '/api/users/login', { isOpen: true, body }, options),
  /** Sign out: revoke this session. */
  logout: (options?: CallOptions) =>
    send('post', '/api/users/logout', {}, options),
  /** Revoke all sessions of the signed-in user. */
  logoutAll: (options?: CallOptions) =>
    send('post', '/api/users/logout-all', {}, options),
  /** Exchange a refresh token for new tokens. */
  refresh: (refresh_token: Body<'refreshTokens'>['refresh_token'], options?: CallOptions): Promise<Schemas['Tokens']> =>
    take('post', '/api/users/refresh', 'tokens', { isOpen: true, body: { refresh_token }, isRepeatable: true }, options),
  /** Get the signed-in user. */
  me: (options?: ReadOptions<Schemas['User']>): Promise<Schemas['User']> =>
    take('get', '/api/users/me', 'user', {}, options),
  /** Change the password of the signed-in user. */
  changePassword: (body: Body<'changePassword'>, options?: CallOptions): Promise<Schemas['Tokens']> =>
    take('put', '/api/users/me/password', 'tokens', { body }, options),
  /** List the sessions of the signed-in user. */
  list: (options?: CallOptions): Promise<Schemas['Session'][]> =>
    take('get', '/api/users/me/sessions', 'sessions', {}, options),
  /** Revoke one session of the signed-in user. */
  revoke: (id: string, options?: CallOptions) =>
    send('delete', '/api/users/me/sessions/{id}', { id }, options),
  /** Email a link that resets the password. */
  requestPasswordReset: (email: Body<'requestPasswordReset'>['email'], options?: CallOptions): Promise<string> =>
    take('post', '/api/users/password-reset', 'message', { isOpen: true, body: { email } }, options),
  /** Set a new password with the token of an emailed link. */
  resetPassword: (body: Body<'resetPassword'>, options?: CallOptions): Promise<string> =>
    take('post', '/api/users/password-reset/confirm', 'message', { isOpen: true, body }, options),
  /** Verify an email address with the token of an emailed link. */
  verifyEmail: (token: Body<'verifyEmail'>['token'], options?: CallOptions): Promise<string> =>
    take('post', '/api/users/verify-email', 'message', { isOpen: true, body: { token } }, options),
  /** Resend the email that verifies the address. */
  requestEmailVerification: (options?: CallOptions): Promise<string> =>
    take('post', '/api/users/me/verify-email', 'message', {}, options),
  /** Get the public keys that verify access tokens. */
  publicKeys: (options?: CallOptions): Promise<Schemas['PublicKey'][]> =>
    take('get', '/.well-known/jwks.json', 'keys', { isOpen: true }, options),
});

export const usersMethods = ({ send, take }: Calls) => ({
  /** List and search users. */
  list: (query?: Query<'listUsers'>, options?: CallOptions): Promise<Schemas['UserPage']> =>
    send('get', '/api/users', { query }, options),
  /** Every row of all its pages. */
  all: (query?: Filter<'listUsers'>, options?: CallOptions) =>
    everyRow(
      (at) => send('get', '/api/users', { query: { ...at, ...query } }, options),
      (page) => page.users,
    ),
  /** Get one user. */
  get: (id: number, options?: CallOptions): Promise<Schemas['User']> =>
    take('get', '/api/users/{id}', 'user', { id }, options),
  /** Change the name or email address of a user. */
  update: (id: number, body: Body<'updateUser'>, options?: CallOptions): Promise<Schemas['User']> =>
    take('put', '/api/users/{id}', 'user', { id, body }, options),
  /** Delete a user and their personal data. */
  delete: (id: number, options?: CallOptions): Promise<string> =>
    take('delete', '/api/users/{id}', 'message', { id }, options),
  /** Make a user an admin, or a customer again. */
  setRole: (id: number, role: Body<'setUserRole'>['role'], options?: CallOptions): Promise<Schemas['User']> =>
    take('put', '/api/users/{id}/role', 'user', { id, body: { role } }, options),
  /** List the sessions of a user. */
  sessions: (id: number, options?: CallOptions): Promise<Schemas['Session'][]> =>
    take('get', '/api/users/{id}/sessions', 'sessions', { id }, options),
  /** Revoke all sessions of a user. */
  revokeSessions: (id: number, options?: CallOptions) =>
    send('delete', '/api/users/{id}/sessions', { id }, options),
  /** List security events, newest first. */
  audit: (query?: Query<'listAuditEvents'>, options?: CallOptions): Promise<Schemas['AuditEventPage']> =>
    send('get', '/api/users/audit', { query }, options),
  /** Every row of all its pages. */
  auditAll: (query?: Filter<'listAuditEvents'>, options?: CallOptions) =>
    everyRow(
      (at) => send('get', '/api/users/audit', { query: { ...at, ...query } }, options),
      (page) => page.events,
    ),
});

export const productsMethods = ({ send, take }: Calls) => ({
  /** List, filter and search products. */
  list: (query?: Query<'listProducts'>, options?: ReadOptions<Schemas['ProductPage']>): Promise<Schemas['ProductPage']> =>
    send('get', '/api/products', { isOpen: true, query }, options),
  /** Every row of all its pages. */
  all: (query?: Filter<'listProducts'>, options?: CallOptions) =>
    everyRow(
      (at) => send('get', '/api/products', { isOpen: true, query: { ...at, ...query } }, options),
      (page) => page.products,
    ),
  /** Get one product. */
  get: (id: number, options?: ReadOptions<Schemas['Product']>): Promise<Schemas['Product']> =>
    take('get', '/api/products/{id}', 'product', { id, isOpen: true }, options),
  /** Create a product. */
  create: (body: Schemas['NewProduct'], options?: CallOptions): Promise<Schemas['Product']> =>
    take('post', '/api/products', 'product', { body }, options),
  /** Change a product; name and price are required. */
  update: (id: number, body: Schemas['ProductReplacement'], options?: ChangeOptions): Promise<Schemas['Product']> =>
    take('put', '/api/products/{id}', 'product', { id, body }, options),
  /** Change some fields of a product. */
  patch: (id: number, body: Schemas['ProductUpdate'], options?: ChangeOptions): Promise<Schemas['Product']> =>
    take('patch', '/api/products/{id}', 'product', { id, body }, options),
  /** Delete a product. */
  delete: (id: number, options?: ChangeOptions): Promise<string> =>
    take('delete', '/api/products/{id}', 'message', { id }, options),
  /** Add to the stock of a product, or take from it. */
  adjustStock: (id: number, body: Schemas['StockAdjustment'], options?: ChangeOptions): Promise<Schemas['Product']> =>
    take('put', '/api/products/{id}/stock', 'product', { id, body }, options),
  /** List the stock movements of a product, newest first. */
  stockMovements: (id: number, query?: Query<'listStockMovements'>, options?: CallOptions): Promise<Schemas['StockMovementPage']> =>
    send('get', '/api/products/{id}/stock-movements', { id, query }, options),
  /** Every row of all its pages. */
  allStockMovements: (id: number, query?: Filter<'listStockMovements'>, options?: CallOptions) =>
    everyRow(
      (at) => send('get', '/api/products/{id}/stock-movements', { id, query: { ...at, ...query } }, options),
      (page) => page.movements,
    ),
  /** List the categories that have products, in language order. */
  categories: (query?: Query<'listCategories'>, options?: ReadOptions<Schemas['Categories']>): Promise<Schemas['Categories']> =>
    send('get', '/api/products/categories', { isOpen: true, query }, options),
});

export const ordersMethods = ({ send, take }: Calls) => ({
  /** Place an order. */
  place: (body: Schemas['OrderRequest'], options?: PlaceOptions): Promise<Schemas['Order']> =>
    take('post', '/api/orders', 'order', { body, isKeyed: true, isRepeatable: true }, options),
  /** Quote the current price of a basket. */
  quote: (body: Schemas['OrderRequest'], options?: CallOptions): Promise<Schemas['Quote']> =>
    send('post', '/api/orders/quote', { body, isRepeatable: true }, options),
  /** List orders, newest first. */
  list: (query?: Query<'listOrders'>, options?: ReadOptions<Schemas['OrderPage']>): Promise<Schemas['OrderPage']> =>
    send('get', '/api/orders', { query }, options),
  /** Every row of all its pages. */
  all: (query?: Filter<'listOrders'>, options?: CallOptions) =>
    everyRow(
      (at) => send('get', '/api/orders', { query: { ...at, ...query } }, options),
      (page) => page.orders,
    ),
  /** Get one order. */
  get: (id: number, options?: ReadOptions<Schemas['Order']>): Promise<Schemas['Order']> =>
    take('get', '/api/orders/{id}', 'order', { id }, options),
  /** List an order's past statuses and who set them. */
  history: (id: number, options?: CallOptions): Promise<Schemas['StatusChange'][]> =>
    take('get', '/api/orders/{id}/history', 'history', { id }, options),
  /** Return counts and the total of the caller's orders. */
  stats: (options?: ReadOptions<Schemas['OrderStats']>): Promise<Schemas['OrderStats']> =>
    send('get', '/api/orders/stats', {}, options),
  /** Set the status of an order. */
  setStatus: (id: number, status: Schemas['OrderStatusChange']['status'], options?: CallOptions): Promise<Schemas['Order']> =>
    take('put', '/api/orders/{id}/status', 'order', { id, body: { status } }, options),
  /** Cancel an order. */
  cancel: (id: number, options?: CallOptions): Promise<Schemas['Order']> =>
    take('delete', '/api/orders/{id}', 'order', { id }, options),
});
