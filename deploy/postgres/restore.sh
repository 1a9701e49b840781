#!/usr/bin/env bash
# Makes one database again from a dump of backup.sh: what is in it now is lost, also what a later release has added. The
# services must not run meanwhile, and the migrations must run afterwards.
#   restore.sh FILE    such as order_db-20261127T023000Z.dump
#   BACKUP_FOLDER, SECRETS_FOLDER, PGHOST, PGPORT    as for backup.sh
set -Eeuo pipefail
secrets=${SECRETS_FOLDER:-/run/secrets} file=${BACKUP_FOLDER:-/backups}/${1:-none}
name=$(basename "$file"); name=${name%%_db-*}
case $name in user | product | order) ;; *) echo "which dump? $file is none" >&2; exit 2 ;; esac
# Readable to its end, before anything is lost.
pg_restore --file=/dev/null "$file"

PGPASSWORD=$(cat "$secrets/postgres_password") psql -v ON_ERROR_STOP=1 --no-psqlrc --quiet --username=postgres \
  --dbname=postgres --command="DROP DATABASE IF EXISTS ${name}_db WITH (FORCE)"
bash "$(dirname "$0")/databases.sh"
# Without comments: that of an extension belongs to the superuser.
PGPASSWORD=$(cat "$secrets/${name}_owner_password") pg_restore --username="${name}_owner" --dbname="${name}_db" \
  --no-owner --no-comments --single-transaction --exit-on-error "$file"
echo "${name}_db is as in $file"
