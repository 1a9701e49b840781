#!/bin/sh
# Writes the secrets of docker-compose.yml: those given in the environment, and for the others random ones, made once and
# kept. Each container mounts the folder of its own, whose files only its user can read. Runs at every start.
#   SECRETS_FOLDER  has the folders kept, user, product, order, <each>-owner, postgres and redis (/secrets)
set -eu
umask 077
cd "${SECRETS_FOLDER:-/secrets}"

write() { # FILE [OWNER]; a file that is there is replaced, never written to, also what a killed run has left
  rm -f "$1.new"
  cat >"$1.new"
  chmod 400 "$1.new"
  [ -z "${2-}" ] || [ "$(id -u)" != 0 ] || chown "$2:$2" "$1.new"
  mv -f "$1.new" "$1"
}
keep() { # NAME GIVEN
  if [ -n "$2" ]; then printf %s "$2" | write "kept/$1"
  elif [ ! -s "kept/$1" ]; then od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n' | write "kept/$1"
  fi
}
kept() { cat "kept/$1"; }
sha256() { kept "$1" | sha256sum | cut -d ' ' -f 1; }

keep jwt_secret_key "${JWT_SECRET_KEY-}"
keep service_token_secret "${SERVICE_TOKEN_SECRET-}"
keep postgres_password "${POSTGRES_PASSWORD-}"
keep replication_password '' # between the nodes of deploy/ha
keep user_db_password "${USER_DB_PASSWORD-}"
keep product_db_password "${PRODUCT_DB_PASSWORD-}"
keep order_db_password "${ORDER_DB_PASSWORD-}"
for service in user product order; do
  keep "${service}_owner_password" ''
  keep "${service}_redis_password" ''
done

for service in user product order; do
  user="${service}_service"
  printf 'postgresql://%s:%s@postgres:5432/%s_db' "$user" "$(kept "${service}_db_password")" "$service" |
    write "$service/database_url" 1000
  printf 'redis://%s:%s@redis:6379' "$user" "$(kept "${service}_redis_password")" | write "$service/redis_url" 1000
  kept service_token_secret | write "$service/service_token_secret" 1000
  # With JWKS_URL only user-service signs, with JWT_PRIVATE_KEY.
  if [ -n "${JWKS_URL-}" ] && [ -z "${JWT_SECRET_KEY-}" ]; then : | write "$service/jwt_secret_key" 1000
  else kept jwt_secret_key | write "$service/jwt_secret_key" 1000
  fi
  # The role that migrates, for the migration alone.
  printf 'postgresql://%s:%s@postgres:5432/%s_db' "${service}_owner" "$(kept "${service}_owner_password")" "$service" |
    write "$service-owner/database_url" 1000
  for password in db_password owner_password; do
    kept "${service}_$password" | write "postgres/${service}_$password" 999
  done
done
for password in postgres_password replication_password; do kept $password | write postgres/$password 999; done

# Each service reaches its own keys; those of caches begin with the id of Redis's run, 40 characters. Nobody needs a password to
# ask whether Redis is there.
cache="~shop:cache:$(printf '?%.0s' $(seq 40))"
{
  echo 'user default on nopass resetkeys resetchannels -@all +ping'
  user() { # SERVICE KEYS
    echo "user $1_service on #$(sha256 "$1_redis_password") resetchannels +@all -@admin -@dangerous +info ~shop:ready $2"
  }
  user user "$cache:users:* ~shop:failures:* ~shop:limit:register:* ~shop:limit:login:* ~shop:limit:refresh:* ~shop:limit:password_reset:* ~shop:limit:user_*"
  user product "$cache:product:* $cache:product_list:* $cache:categories:* ~shop:limit:catalogue_*"
  user order "$cache:orders:* ~shop:limit:order_*"
} | write redis/users.acl 999
