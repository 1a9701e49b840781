import { sql } from '@shop/service-kit/postgres/query';

export type Role = 'customer' | 'admin';

/** A user's row, without what belongs to the password. */
export interface Account {
  id: number;
  username: string;
  email: string;
  role: Role;
  emailVerified: boolean;
  createdAt: Date;
  updatedAt: Date;
}

/** The columns of `users` that an `Account` consists of. */
export const accountColumns = sql`id, username, email, role, email_verified AS "emailVerified",
  created_at AS "createdAt", updated_at AS "updatedAt"`;
