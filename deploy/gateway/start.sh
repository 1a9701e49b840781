#!/bin/sh
# Starts the gateway. Environment:
#   TRUST_PROXY    how many proxies stand in front of it; their entries of X-Forwarded-For are believed (0)
#   CORS_ORIGINS   as the services have it (*)
#   GATEWAY_STATE  a folder that may be written to (/tmp/gateway)
set -eu
state=${GATEWAY_STATE:-/tmp/gateway}
proxies=${TRUST_PROXY:-0}
origins=$(printf %s "${CORS_ORIGINS:-*}" | tr -d ' ')
refuse() { echo "gateway: $1" >&2; exit 1; }

case $proxies in *[!0-9]* | ???*) refuse 'TRUST_PROXY: must be a whole number from 0 to 99' ;; esac
case $origins in *[!]A-Za-z0-9.:/,*_[-]*) refuse 'CORS_ORIGINS: must be origins, separated by commas' ;; esac

# The entry that the outermost of these proxies has written, or the first when there are fewer.
client_map() {
  echo 'map $http_x_forwarded_for $client {'
  echo '  default $remote_addr;'
  [ "$proxies" -eq 0 ] || cat <<EOF
  '~(?:^|,)\s*(?<forwarded>\d+(?:\.\d+){3}|[0-9A-Fa-f:.]+)(?::\d+)?\s*(?:,[^,]*){0,$((proxies - 1))}\$' \$forwarded;
EOF
  echo '}'
}
cors_maps() {
  case ,$origins, in
    *,\*,*) all='*' vary='' credentials='' listed='' ;;
    *) all='' vary=Origin credentials=true listed=$(printf %s "$origins" | tr , ' ') ;;
  esac
  echo "map \$server_port \$cors_vary { default '$vary'; }"
  echo "map \$server_port \$cors_credentials { default '$credentials'; }"
  echo 'map $http_origin $cors_origin {'
  echo "  default '$all';"
  for origin in $listed; do echo "  '$origin' \$http_origin;"; done
  echo '}'
}

mkdir -p "$state"
cp "$(dirname "$0")"/*.conf "$state"
{ client_map; cors_maps; } >"$state/settings.conf"
exec nginx -p "$state/" -c "$state/nginx.conf" -g 'daemon off;'
