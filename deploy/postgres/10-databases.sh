#!/usr/bin/env bash
# Runs once, on an empty data folder: a database and a role for each service, which cannot connect to the others'.
set -Eeuo pipefail

sql() { psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet --username "${POSTGRES_USER:-postgres}" "$@"; }

sql --dbname postgres <<'SQL'
\getenv user_password USER_DB_PASSWORD
\getenv product_password PRODUCT_DB_PASSWORD
\getenv order_password ORDER_DB_PASSWORD
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
CREATE ROLE user_service LOGIN PASSWORD :'user_password';
CREATE ROLE product_service LOGIN PASSWORD :'product_password';
CREATE ROLE order_service LOGIN PASSWORD :'order_password';
CREATE DATABASE user_db OWNER user_service;
CREATE DATABASE product_db OWNER product_service;
CREATE DATABASE order_db OWNER order_service;
REVOKE ALL ON DATABASE user_db, product_db, order_db FROM PUBLIC;
SQL
sql --dbname product_db --command 'CREATE EXTENSION pg_trgm'
