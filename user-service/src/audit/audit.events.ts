import type { Origin } from './origin.ts';

/** The events of the audit trail. Names are stable: admins filter by them. */
export const SECURITY_EVENTS = [
  'registered',
  'login_succeeded',
  'login_failed',
  'login_refused',
  'login_locked',
  'logout',
  'logout_all',
  'session_ended',
  'token_reused',
  'wrong_password',
  'password_changed',
  'password_reset_asked',
  'password_reset',
  'email_verified',
  'email_changed',
  'username_changed',
  'role_changed',
  'sessions_ended_by_admin',
  'user_deleted',
] as const;

export type SecurityEventName = (typeof SECURITY_EVENTS)[number];

/** An event as it is stored. */
export interface StoredEvent extends Origin {
  id: number;
  event: string;
  userId: number | null;
  actorId: number | null;
  details: Record<string, string | number>;
  createdAt: Date;
}
