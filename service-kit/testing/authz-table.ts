import { describe, expect, test } from '@jest/globals';
import type { Express } from 'express';
import request from 'supertest';
import type { Route, Who } from '../src/http/define-route.ts';
import { declaredRoutes } from '../src/http/mount-routes.ts';
import { createServiceTokenSigner } from '../src/tokens/service-token.ts';
import { TEST_SERVICE_SECRET } from './test-tokens.ts';

/** The kinds of callers of a route. Four of them are signed in; the rule describes what each owns or has bought. */
const CALLERS = ['nobody', 'buyer', 'owner', 'other', 'admin', 'service'] as const;
type CallerName = (typeof CALLERS)[number];
export type UserName = Exclude<CallerName, 'nobody' | 'service'>;

/** A request that is valid except for its sender. */
interface RightRequest {
  params?: Record<string, string | number>;
  query?: Record<string, string | number>;
  body?: object | string;
  headers?: Record<string, string>;
  /** `Authorization` of the owner or buyer of what the request is about. */
  as?: Partial<Record<UserName, string>>;
}

export interface AuthzRule {
  /** Made for each caller, on its own rows. */
  request: () => RightRequest | Promise<RightRequest>;
  /** If the declaration says `only`: which users it is for. */
  may?: readonly UserName[];
  /** The status for the other users, if it is not 403. */
  refused?: Partial<Record<UserName, number>>;
}

interface AuthzTableOptions {
  app: Express;
  /** As service tokens name it. */
  service: string;
  /** A user's `Authorization`, of a session of its own. */
  signIn: (user: UserName) => string | Promise<string>;
  /** By method and path as declared, `GET /api/things/:id`. */
  rules: Record<string, AuthzRule>;
}

const USERS: readonly UserName[] = ['buyer', 'owner', 'other', 'admin'];
/** The rule that follows from the declaration alone. */
const LET_IN: Record<Who, readonly CallerName[]> = {
  anyone: CALLERS,
  user: USERS,
  admin: ['admin'],
  service: ['service'],
};

/**
 * Tests every route that the app declares with every caller: allowed callers get the declared status, the others the status
 * of the contract. A route without a rule fails.
 */
export function describeAuthorization({ app, service, signIn, rules }: AuthzTableOptions): void {
  const routes = declaredRoutes(app);
  const serviceToken = createServiceTokenSigner(TEST_SERVICE_SECRET, 'order-service', service);

  const authorizationOf = async (caller: CallerName, { as }: RightRequest): Promise<string | undefined> => {
    if (caller === 'nobody') return undefined;
    if (caller === 'service') return `Bearer ${serviceToken()}`;
    return as?.[caller] ?? signIn(caller);
  };

  test('every route has a rule, and a description of its callers if signing in is not enough', () => {
    expect(Object.keys(rules).toSorted()).toEqual(routes.map(nameOf).toSorted());
    for (const route of routes) {
      const rule = rules[nameOf(route)];
      expect([nameOf(route), rule?.may !== undefined]).toEqual([nameOf(route), route.only !== undefined]);
    }
  });

  describe.each(routes.map((route) => [nameOf(route), route] as const))('%s', (name, route) => {
    test.each(CALLERS)('by %s', async (caller) => {
      const rule = rules[name];
      if (rule === undefined) throw new Error(`no rule for ${name}`);
      const right = await rule.request();
      const call = request(app)
        [route.method](pathOf(route, right))
        .query(right.query ?? {});
      const authorization = await authorizationOf(caller, right);
      const headers = { ...right.headers, ...(authorization === undefined ? {} : { authorization }) };
      const response = await call.set(headers).send(right.body);
      expect(response.status).toBe(expectedStatus(route, rule, caller));
    });
  });
}

const nameOf = ({ method, path }: Route) => `${method.toUpperCase()} ${path}`;

const pathOf = ({ path }: Route, { params = {} }: RightRequest) =>
  path.replaceAll(/:(\w+)/g, (_all, name: string) => String(params[name]));

function expectedStatus(route: Route, rule: AuthzRule, caller: CallerName): number {
  const letIn: readonly CallerName[] = rule.may ?? LET_IN[route.who];
  if (letIn.includes(caller)) return route.status;
  const isUser = USERS.some((user) => user === caller);
  if (!isUser || route.who === 'service') return 401;
  return rule.refused?.[caller as UserName] ?? 403;
}
