-- migrate: compatible with 20261124120000_mails_and_audit
-- Access tokens carry the generation of their session; those below the session's are void. The release before went by
-- tokens_void_before, which nothing reads any more; the column stays until no replica of that release can run.
ALTER TABLE sessions ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;
DROP INDEX sessions_tokens_void_before;

-- What other services must know about accounts. Session changes are of use for one lifetime of an access token; user
-- deletions stay, for services that have been away or come back from a backup.
CREATE TABLE account_changes (
  id         BIGSERIAL PRIMARY KEY,
  -- The order of reading. Given after the commit of the change, so that no change can be overtaken by a later number.
  number     BIGINT,
  type       TEXT NOT NULL CHECK (type IN ('session', 'user_deleted')),
  session_id UUID,
  -- Tokens of the session below this generation are void; NULL: all are.
  void_below INTEGER,
  user_id    INTEGER,
  changed_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  CHECK (CASE type WHEN 'session' THEN session_id IS NOT NULL ELSE user_id IS NOT NULL END)
);
CREATE SEQUENCE account_change_numbers OWNED BY account_changes.number;
CREATE UNIQUE INDEX account_changes_number ON account_changes (number);
CREATE INDEX account_changes_without_number ON account_changes (id) WHERE number IS NULL;
CREATE INDEX account_changes_changed_at_idx ON account_changes (changed_at);

-- Triggers, so that no statement that ends a session or changes a user can forget the others.
CREATE FUNCTION note_session_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO account_changes (type, session_id, void_below)
  VALUES ('session', NEW.id, CASE WHEN NEW.ended_at IS NULL THEN NEW.generation END);
  RETURN NULL;
END $$;
CREATE TRIGGER note_session_change AFTER UPDATE OF ended_at, generation ON sessions FOR EACH ROW
  WHEN (NEW.ended_at IS NOT NULL AND OLD.ended_at IS NULL OR NEW.generation <> OLD.generation)
  EXECUTE FUNCTION note_session_change();

CREATE FUNCTION note_user_deletion() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO account_changes (type, user_id) VALUES ('user_deleted', OLD.id);
  RETURN NULL;
END $$;
CREATE TRIGGER note_user_deletion AFTER DELETE ON users FOR EACH ROW EXECUTE FUNCTION note_user_deletion();

-- The sessions live on; their next access tokens have the new role.
CREATE FUNCTION void_tokens_of_former_role() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE sessions SET generation = generation + 1 WHERE user_id = NEW.id AND ended_at IS NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER void_tokens_of_former_role AFTER UPDATE OF role ON users FOR EACH ROW
  WHEN (NEW.role <> OLD.role) EXECUTE FUNCTION void_tokens_of_former_role();

-- Tokens that were made void before this migration stay so: tokens from before count as generation 0.
INSERT INTO account_changes (type, session_id, void_below, changed_at)
SELECT 'session', id, CASE WHEN ended_at IS NULL THEN 1 END, tokens_void_before
  FROM sessions WHERE tokens_void_before > now() - interval '1 hour';
