CREATE TABLE users (
  id               SERIAL PRIMARY KEY,
  username         TEXT NOT NULL,
  username_key     TEXT NOT NULL,
  email            TEXT NOT NULL,
  email_key        TEXT NOT NULL,
  email_verified   BOOLEAN NOT NULL DEFAULT FALSE,
  password_hash    TEXT NOT NULL,
  password_version INTEGER NOT NULL DEFAULT 1,
  role             TEXT NOT NULL DEFAULT 'customer' CHECK (role IN ('customer', 'admin')),
  created_at       TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  updated_at       TIMESTAMPTZ(3) NOT NULL DEFAULT now()
);
-- These two names tell in a race which of name and address was taken.
CREATE UNIQUE INDEX users_username_key ON users (username_key);
CREATE UNIQUE INDEX users_email_key ON users (email_key);
CREATE INDEX users_role_id_idx ON users (role, id);

-- The admins' search for a part of a name or address. Without the extension it reads all users.
DO $$
BEGIN
  CREATE EXTENSION IF NOT EXISTS pg_trgm;
  CREATE INDEX users_username_search ON users USING gin (username_key gin_trgm_ops);
  CREATE INDEX users_email_search ON users USING gin (email_key gin_trgm_ops);
EXCEPTION WHEN undefined_file OR feature_not_supported OR undefined_object OR insufficient_privilege THEN
  RAISE NOTICE 'pg_trgm cannot be had';
END $$;

CREATE TABLE sessions (
  id                  UUID PRIMARY KEY,
  user_id             INTEGER REFERENCES users (id) ON DELETE SET NULL ON UPDATE CASCADE,
  current_token_hash  TEXT NOT NULL,
  previous_token_hash TEXT,
  rotated_at          TIMESTAMPTZ(3),
  created_at          TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  last_used_at        TIMESTAMPTZ(3) NOT NULL DEFAULT now(),
  expires_at          TIMESTAMPTZ(3) NOT NULL,
  user_agent          TEXT,
  ip                  TEXT,
  ended_at            TIMESTAMPTZ(3),
  ended_reason        TEXT,
  tokens_void_before  TIMESTAMPTZ(3)
);
CREATE INDEX sessions_user_id_last_used_at_idx ON sessions (user_id, last_used_at DESC);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);
CREATE INDEX sessions_ended_at ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX sessions_tokens_void_before ON sessions (tokens_void_before, id) WHERE tokens_void_before IS NOT NULL;
