# Runs one private PostgreSQL server in the folder $1 with the programs in $2 on port $3, until
# standard input ends. A test process that dies, however it dies, closes that end; so the server
# never outlives it. $4: on or off, whether the server waits for the disk.
set -eu
cd "$1"
trap 'cd / && rm -rf "$1"' EXIT
as() {
    if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --init-groups "$@"; else "$@"; fi
}
if [ "$(id -u)" = 0 ]; then chown postgres "$1"; fi
# A collation of a language, as many servers have, so that a text ordered by it is found out.
as "$2/initdb" -D "$1/data" -U postgres --auth trust -E UTF8 --no-sync --locale C.UTF-8 \
    --locale-provider icu --icu-locale en-US >"$1/initdb.log" 2>&1 || { cat "$1/initdb.log"; exit 1; }
as "$2/pg_ctl" -w -D "$1/data" -l "$1/data/log" start >/dev/null 2>&1 -o "-p $3 -k '$1' -c listen_addresses=127.0.0.1 \
    -c fsync=$4 -c synchronous_commit=$4 -c full_page_writes=$4 -c max_connections=200 -c autovacuum=off" \
    || { cat "$1/data/log"; exit 1; }
echo ready
cat >/dev/null || true
as "$2/pg_ctl" -w -m immediate -D "$1/data" stop >/dev/null
