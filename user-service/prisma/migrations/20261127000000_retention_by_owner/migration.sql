-- migrate: compatible with 20261126200000_user_generations

-- Where user-service has a role of its own (docs/operations.md), it may read the audit trail and add to it. These two
-- functions of the owner are all that removes something.

-- Rows older than so many days, and never those of the last week. Index: security_events_created_at_id_idx
CREATE FUNCTION remove_old_events(p_days INTEGER, p_size INTEGER) RETURNS INTEGER
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH removed AS (
    DELETE FROM security_events WHERE id IN (
      SELECT id FROM security_events WHERE created_at < now() - make_interval(days => greatest(p_days, 7))
       ORDER BY created_at LIMIT p_size FOR UPDATE SKIP LOCKED)
    RETURNING id
  )
  SELECT count(*)::int FROM removed
$$;

-- Where a deleted user acted from, and where others tried to log in to their account.
CREATE FUNCTION forget_event_origins(p_user_id INTEGER, p_size INTEGER) RETURNS INTEGER
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH forgotten AS (
    UPDATE security_events SET ip = NULL, user_agent = NULL WHERE id IN (
      SELECT id FROM security_events
       WHERE (actor_id = p_user_id OR (user_id = p_user_id AND actor_id IS NULL))
         AND (ip IS NOT NULL OR user_agent IS NOT NULL)
         AND NOT EXISTS (SELECT FROM users WHERE id = p_user_id)
       LIMIT p_size)
    RETURNING id
  )
  SELECT count(*)::int FROM forgotten
$$;
