-- migrate: compatible with 20261124120000_mails_and_audit
-- Mails are jobs. What waits in the table `mails`, where replicas of the release before go on writing, becomes jobs by a
-- periodic task; a later release drops the table. This one only counts what was asked for lately.
CREATE TABLE mail_requests (
  id           BIGSERIAL PRIMARY KEY,
  user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  kind         TEXT NOT NULL CHECK (kind IN ('verify_email', 'reset_password', 'email_changed')),
  requested_at TIMESTAMPTZ(3) NOT NULL DEFAULT now()
);
CREATE INDEX mail_requests_user_id_kind_requested_at_idx ON mail_requests (user_id, kind, requested_at);
CREATE INDEX mail_requests_requested_at_idx ON mail_requests (requested_at);

-- One insert for all sessions that a statement ends, however many; none for those that were last used, and got their last
-- access token, longer ago than one lives (an hour, and ten minutes to be safe): it has expired. Without nested loops: the plan is kept, and one that
-- was made for a single session would take hours for many thousands.
CREATE FUNCTION note_session_changes() RETURNS trigger LANGUAGE plpgsql SET enable_nestloop = off AS $$
BEGIN
  INSERT INTO account_changes (type, session_id, void_below)
  SELECT 'session', id, CASE WHEN it.ended_at IS NULL THEN it.generation END
    FROM new_rows it JOIN old_rows was USING (id)
   WHERE (it.ended_at IS NOT NULL AND was.ended_at IS NULL OR it.generation <> was.generation)
     AND it.last_used_at > now() - interval '70 minutes';
  RETURN NULL;
END $$;
DROP TRIGGER note_session_change ON sessions;
DROP FUNCTION note_session_change;
CREATE TRIGGER note_session_changes AFTER UPDATE ON sessions
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION note_session_changes();
