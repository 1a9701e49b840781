#!/bin/sh
# One node of the cluster in a container: the passwords come from files.
set -eu
POSTGRES_PASSWORD=$(cat /run/secrets/postgres_password)
REPLICATION_PASSWORD=$(cat /run/secrets/replication_password)
export POSTGRES_PASSWORD REPLICATION_PASSWORD
umask 077
envsubst </ha/patroni.yml >/tmp/patroni.yml
unset POSTGRES_PASSWORD REPLICATION_PASSWORD
exec patroni /tmp/patroni.yml
