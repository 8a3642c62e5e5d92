#!/bin/sh
# Of the stand-in for the official image: POSTGRES_USER, POSTGRES_DB and POSTGRES_PASSWORD mean the same here.
set -eu

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  umask 077
  secret=$(mktemp)
  printf '%s\n' "$POSTGRES_PASSWORD" > "$secret"
  initdb -D "$PGDATA" -U "$POSTGRES_USER" --pwfile "$secret" -E UTF8 --locale=C.UTF-8 \
    --auth-local=trust --auth-host=scram-sha-256
  rm "$secret"
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start
  createdb -U "$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl -D "$PGDATA" -m fast -w stop
fi
unset POSTGRES_PASSWORD
exec postgres -D "$PGDATA" -c "listen_addresses=*"
