#!/usr/bin/env bash
# Makes a database and two roles for each service: its owner, which migrates it, and the service, which reads and writes rows.
# No role can connect to another's database. Runs at every start, also on data of a release where the service was the
# owner, and sets the passwords.
#   SECRETS_FOLDER  has the passwords (/run/secrets)        PGHOST, PGPORT  the server
set -Eeuo pipefail
secret() { cat "${SECRETS_FOLDER:-/run/secrets}/$1"; }
sql() { psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet --username postgres "$@"; }

PGPASSWORD=$(secret postgres_password)
export PGPASSWORD
sql --dbname postgres --command 'REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC'
for name in user product order; do
  OWNER_PASSWORD=$(secret "${name}_owner_password")
  SERVICE_PASSWORD=$(secret "${name}_db_password")
  export OWNER_PASSWORD SERVICE_PASSWORD
  roles=(-v "database=${name}_db" -v "owner=${name}_owner" -v "service=${name}_service")
  sql --dbname postgres "${roles[@]}" <<'SQL'
\getenv owner_password OWNER_PASSWORD
\getenv service_password SERVICE_PASSWORD
SELECT format('CREATE ROLE %I', name) FROM unnest(ARRAY[:'owner', :'service']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE :"owner" LOGIN CONNECTION LIMIT 10 PASSWORD :'owner_password';
-- Three replicas of a service use 39 connections. A service in trouble must not take those of the others.
ALTER ROLE :"service" LOGIN CONNECTION LIMIT 60 PASSWORD :'service_password';
-- For connections that bring no limits of their own, such as those through PgBouncer (docs/high-availability.md).
ALTER ROLE :"service" SET statement_timeout = '1200ms';
ALTER ROLE :"service" SET lock_timeout = '1s';
ALTER ROLE :"service" SET idle_in_transaction_session_timeout = '5s';
SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'owner')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
SQL
  # The grant last: a database that gets another owner gives the rights of the former one to the new one.
  sql --dbname "${name}_db" "${roles[@]}" <<'SQL'
REASSIGN OWNED BY :"service" TO :"owner";
GRANT CONNECT ON DATABASE :"database" TO :"service";
SQL
done
sql --dbname product_db --command 'SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS pg_trgm'
