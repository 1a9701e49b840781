import type { Express } from 'express';
import request from 'supertest';
import type { PrismaClient } from '../../src/generated/prisma/client.ts';
import type { Tokens } from '../../src/tokens/tokens.response.ts';

/** A user as clients see it. */
interface UserJson {
  id: number;
  username: string;
  email: string;
  role: 'customer' | 'admin';
  email_verified: boolean;
  created_at: string;
  updated_at: string;
}

export interface Registered {
  user: UserJson;
  tokens: Tokens;
  /** Value of an `Authorization` header. */
  bearer: string;
}

export const PASSWORD = 'securepass123';

let made = 0;

/** A valid body of `POST /api/users/register`. */
export function registration(overrides: Record<string, unknown> = {}) {
  made += 1;
  return { username: `user${made}`, email: `user${made}@example.com`, password: PASSWORD, ...overrides };
}

/** Creates a user through the API. */
export async function register(app: Express, overrides: Record<string, unknown> = {}): Promise<Registered> {
  const response = await request(app).post('/api/users/register').send(registration(overrides));
  if (response.status !== 201) throw new Error(`User not registered: ${response.text}`);
  return { ...response.body, bearer: `Bearer ${response.body.tokens.access_token}` };
}

/** Creates an admin with admin tokens. */
export async function registerAdmin(app: Express, db: PrismaClient): Promise<Registered> {
  const { user } = await register(app);
  await db.user.update({ where: { id: user.id }, data: { role: 'admin' } });
  const tokens = await logIn(app, user.username);
  return { user: { ...user, role: 'admin' }, tokens, bearer: `Bearer ${tokens.access_token}` };
}

export async function logIn(app: Express, username: string, password = PASSWORD): Promise<Tokens> {
  const response = await request(app).post('/api/users/login').send({ username, password });
  if (response.status !== 200) throw new Error(`Not signed in: ${response.text}`);
  return response.body.tokens;
}

export const me = (app: Express, bearer: string) =>
  request(app).get('/api/users/me').set('Authorization', bearer);

export const refresh = (app: Express, token: string) =>
  request(app).post('/api/users/refresh').send({ refresh_token: token });
