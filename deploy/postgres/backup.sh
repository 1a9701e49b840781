#!/usr/bin/env bash
# Dumps the three databases immediately, then every day, and deletes dumps that are older than the days to keep. After a
# failure, which leaves no dump of any database and deletes none, it tries again in ten minutes.
#   once               dumps one time and ends, with exit code 1 if that failed
#   SECRETS_FOLDER     has the passwords of the owners (/run/secrets)      PGHOST, PGPORT  the server
#   BACKUP_FOLDER      (/backups)
#   BACKUP_AT          time of day in UTC, HH:MM (02:30)      BACKUP_KEEP_DAYS  (14)
set -Eeuo pipefail
umask 077
folder=${BACKUP_FOLDER:-/backups} at=${BACKUP_AT:-02:30} keep=${BACKUP_KEEP_DAYS:-14}
RETRY_AFTER=600
say() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$*"; }
[[ $at =~ ^([01][0-9]|2[0-3]):[0-5][0-9]$ ]] || { say "BACKUP_AT must be HH:MM, not $at" >&2; exit 2; }
[[ $keep =~ ^[1-9][0-9]{0,3}$ ]] || { say "BACKUP_KEEP_DAYS must be a number of days, not $keep" >&2; exit 2; }

# product_db last: an order whose reservation is younger than its dump would have no stock behind it.
NAMES=(user order product)
dump_to() { # TIME
  local name file password
  for name in "${NAMES[@]}"; do
    file=$folder/${name}_db-$1.dump.part
    password=$(cat "${SECRETS_FOLDER:-/run/secrets}/${name}_owner_password") || return 1
    PGPASSWORD=$password pg_dump --username="${name}_owner" --format=custom --file="$file" "${name}_db" || return 1
    # Readable to its end.
    pg_restore --file=/dev/null "$file" || return 1
  done
}
dump() {
  local now name file
  now=$(date -u +%Y%m%dT%H%M%SZ)
  dump_to "$now" || { rm -f "$folder"/*_db-"$now".dump.part; return 1; }
  for name in "${NAMES[@]}"; do
    file=$folder/${name}_db-$now.dump
    mv "$file.part" "$file" || return 1
    say "$file $(stat -c %s "$file") bytes"
  done
  find "$folder" -maxdepth 1 -name '*_db-*.dump*' -mmin "+$((keep * 1440))" -delete
}

if [ "${1:-}" = once ]; then dump; exit; fi
# `wait` lets the shell end at once when it is stopped.
trap 'exit 0' TERM INT
pause() { sleep "$1" & wait $!; }
until_next() {
  local left=$(($(date -u -d "$at" +%s) - $(date -u +%s)))
  [ "$left" -gt 0 ] || left=$((left + 86400))
  echo "$left"
}
while :; do
  if dump; then pause "$(until_next)"; else say 'the dump failed; the next attempt is in ten minutes' >&2; pause "$RETRY_AFTER"; fi
done
