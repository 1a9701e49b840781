CREATE TABLE mails (
  id              BIGSERIAL PRIMARY KEY,
  user_id         INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  kind            TEXT NOT NULL CHECK (kind IN ('verify_email', 'reset_password')),
  requested_at    TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  expires_at      TIMESTAMPTZ(3) NOT NULL,
  attempts        INTEGER NOT NULL DEFAULT 0,
  next_attempt_at TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  done_at         TIMESTAMPTZ(3),
  failure         TEXT
);
CREATE INDEX mails_user_id_kind_requested_at_idx ON mails (user_id, kind, requested_at);
CREATE INDEX mails_expires_at_idx ON mails (expires_at);
CREATE INDEX mails_waiting ON mails (next_attempt_at) WHERE done_at IS NULL;

CREATE TABLE mail_tokens (
  hash       TEXT PRIMARY KEY,
  user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE ON UPDATE CASCADE,
  kind       TEXT NOT NULL CHECK (kind IN ('verify_email', 'reset_password')),
  email_key  TEXT NOT NULL,
  expires_at TIMESTAMPTZ(3) NOT NULL
);
CREATE INDEX mail_tokens_user_id_kind_idx ON mail_tokens (user_id, kind);
CREATE INDEX mail_tokens_expires_at_idx ON mail_tokens (expires_at);

-- Neither id refers to a row of users: what happened stays known when an account is deleted.
CREATE TABLE security_events (
  id         BIGSERIAL PRIMARY KEY,
  event      TEXT NOT NULL,
  user_id    INTEGER,
  actor_id   INTEGER,
  ip         TEXT,
  user_agent TEXT,
  request_id TEXT,
  details    JSONB NOT NULL DEFAULT '{}',
  created_at TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX security_events_user_id_created_at_id_idx ON security_events (user_id, created_at DESC, id DESC);
CREATE INDEX security_events_event_created_at_id_idx ON security_events (event, created_at DESC, id DESC);
CREATE INDEX security_events_created_at_id_idx ON security_events (created_at DESC, id DESC);
CREATE INDEX security_events_actor_id_idx ON security_events (actor_id);
