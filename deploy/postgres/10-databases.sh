#!/usr/bin/env bash
# Runs once, on an empty data folder: a database and a role for each service, which cannot connect to the others'.
set -Eeuo pipefail

for name in USER PRODUCT ORDER; do
  export "${name}_DB_PASSWORD=$(cat "/run/secrets/$(tr '[:upper:]' '[:lower:]' <<<"$name")_db_password")"
done

sql() { psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet --username "${POSTGRES_USER:-postgres}" "$@"; }

sql --dbname postgres <<'SQL'
\getenv user_password USER_DB_PASSWORD
\getenv product_password PRODUCT_DB_PASSWORD
\getenv order_password ORDER_DB_PASSWORD
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
-- Three replicas of a service use 39 connections. A service in trouble must not take those of the others.
CREATE ROLE user_service LOGIN CONNECTION LIMIT 60 PASSWORD :'user_password';
CREATE ROLE product_service LOGIN CONNECTION LIMIT 60 PASSWORD :'product_password';
CREATE ROLE order_service LOGIN CONNECTION LIMIT 60 PASSWORD :'order_password';
-- For connections that bring no limits of their own, such as those through PgBouncer (docs/high-availability.md).
ALTER ROLE user_service SET statement_timeout = '1200ms';
ALTER ROLE user_service SET lock_timeout = '1s';
ALTER ROLE user_service SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE product_service SET statement_timeout = '1200ms';
ALTER ROLE product_service SET lock_timeout = '1s';
ALTER ROLE product_service SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE order_service SET statement_timeout = '1200ms';
ALTER ROLE order_service SET lock_timeout = '1s';
ALTER ROLE order_service SET idle_in_transaction_session_timeout = '5s';
CREATE DATABASE user_db OWNER user_service;
CREATE DATABASE product_db OWNER product_service;
CREATE DATABASE order_db OWNER order_service;
REVOKE ALL ON DATABASE user_db, product_db, order_db FROM PUBLIC;
SQL
sql --dbname product_db --command 'CREATE EXTENSION pg_trgm'
