import type { Express } from 'express';
import request from 'supertest';

interface EventJson {
  id: number;
  event: string;
  user_id: number | null;
  actor_id: number | null;
  ip: string | null;
  user_agent: string | null;
  request_id: string | null;
  details: Record<string, unknown>;
  created_at: string;
}

interface EventPage {
  events: EventJson[];
  total: number;
  next_cursor: string | null;
}

/** Reads the audit trail as an admin. */
export function auditTrail(app: Express, bearer: string) {
  const get = (query: string) => request(app).get(`/api/users/audit?${query}`).set('Authorization', bearer);
  const list = async (query: string): Promise<EventPage> => (await get(query).expect(200)).body;
  const eventsOf = async (userId: number) => (await list(`user_id=${userId}&per_page=100`)).events;
  return {
    get,
    list,
    /** The events of a user, newest first. */
    eventsOf,
    /** The names of the events, oldest first. */
    namesOf: async (userId: number) => (await eventsOf(userId)).map(({ event }) => event).reverse(),
  };
}
