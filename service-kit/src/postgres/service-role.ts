import { onOwnConnection } from './open-pool.ts';

/** An arbitrary lock number: two processes that grant at the same time would fail. */
const GRANT_LOCK = 7_263_003;
const SCHEMAS = 'public, jobs, graphile_worker';
/** Which migrations were applied: the owner's alone. */
const READ_ONLY = 'public._prisma_migrations, graphile_worker.migrations';

/**
 * graphile-worker's tables have row level security without policies, so that only their owner sees rows. The policy leaves
 * the decision to what is granted.
 */
const POLICIES = `
DO $$
DECLARE
  queue_table REGCLASS;
BEGIN
  FOR queue_table IN
    SELECT oid FROM pg_class
     WHERE relnamespace = 'graphile_worker'::regnamespace AND relrowsecurity
       AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid)
  LOOP
    EXECUTE format('CREATE POLICY as_granted ON %s USING (true) WITH CHECK (true)', queue_table);
  END LOOP;
END
$$`;

export interface ServiceRole {
  /** A role that exists and owns nothing. */
  role: string;
  /** Tables of the service to which rows may only be added. Functions of the owner may do more. */
  appendOnly: string[];
}

/**
 * Lets the role of a service read and write rows of a migrated database, and nothing else. To be called after each
 * migration, as the owner: a new table is not granted by itself.
 */
export function grantToService(connectionString: string, { role, appendOnly }: ServiceRole): Promise<void> {
  return onOwnConnection(connectionString, async (client) => {
    const name = client.escapeIdentifier(role);
    const tables = appendOnly.map((table) => client.escapeIdentifier(table)).join(', ');
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [GRANT_LOCK]);
    await client.query(POLICIES);
    await client.query(`
      GRANT USAGE ON SCHEMA ${SCHEMAS} TO ${name};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${SCHEMAS} TO ${name};
      GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA ${SCHEMAS} TO ${name};
      REVOKE INSERT, UPDATE, DELETE ON ${READ_ONLY} FROM ${name};
      ${tables === '' ? '' : `REVOKE UPDATE, DELETE ON ${tables} FROM ${name};`}`);
    await client.query('COMMIT');
  });
}
