-- migrate: compatible with 20261126180000_mail_jobs
-- One number of the user voids access tokens. Revoking all sessions is then one row here and one in the feed, however many
-- sessions there are.
ALTER TABLE users
  -- Access tokens carry it. Tokens of lower generations are void.
  ADD COLUMN generation INTEGER NOT NULL DEFAULT 1,
  -- Sessions of lower generations are revoked.
  ADD COLUMN sessions_from INTEGER NOT NULL DEFAULT 0;

-- In the release before, each session counted its own generations.
UPDATE users u SET generation = s.generation
  FROM (SELECT user_id, max(generation) AS generation FROM sessions WHERE generation > 1 GROUP BY user_id) s
 WHERE u.id = s.user_id;

CREATE FUNCTION begin_session_in_generation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.generation := coalesce((SELECT generation FROM users WHERE id = NEW.user_id), NEW.generation);
  RETURN NEW;
END $$;
CREATE TRIGGER begin_session_in_generation BEFORE INSERT ON sessions
  FOR EACH ROW EXECUTE FUNCTION begin_session_in_generation();

-- The sessions stay; their next access tokens carry the new role and the new generation.
DROP TRIGGER void_tokens_of_former_role ON users;
DROP FUNCTION void_tokens_of_former_role;
CREATE FUNCTION raise_generation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.generation := OLD.generation + 1;
  RETURN NEW;
END $$;
CREATE TRIGGER raise_generation_for_new_role BEFORE UPDATE OF role ON users FOR EACH ROW
  WHEN (NEW.role <> OLD.role) EXECUTE FUNCTION raise_generation();

-- Readers of the release before go by session_id: the nil UUID matches no session, and they ignore user_id. They learn from
-- rows of single sessions, which are written for the 100 sessions used last (twice what a user may have). The same sessions
-- get the new generation, because replicas of that release put the session's generation into new tokens. The release that
-- drops the column sessions.generation drops the UPDATE too.
CREATE FUNCTION void_tokens_of_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO account_changes (type, session_id, void_below, user_id)
  VALUES ('session', '00000000-0000-0000-0000-000000000000', NEW.generation, NEW.id);
  IF NEW.sessions_from = OLD.sessions_from THEN
    UPDATE sessions SET generation = NEW.generation WHERE id IN (
      SELECT id FROM sessions WHERE user_id = NEW.id AND ended_at IS NULL AND generation >= NEW.sessions_from
       ORDER BY last_used_at DESC LIMIT 100);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER void_tokens_of_user AFTER UPDATE ON users FOR EACH ROW
  WHEN (NEW.generation <> OLD.generation) EXECUTE FUNCTION void_tokens_of_user();

-- A replica of the release before has raised a single session: its user follows.
CREATE FUNCTION follow_session_generation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE users SET generation = NEW.generation WHERE id = NEW.user_id AND generation < NEW.generation;
  RETURN NULL;
END $$;
CREATE TRIGGER follow_session_generation AFTER UPDATE OF generation ON sessions FOR EACH ROW
  WHEN (NEW.generation > OLD.generation) EXECUTE FUNCTION follow_session_generation();
