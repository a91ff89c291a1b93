# Runs one nginx in the folder $1, with the configuration nginx.conf in it, until standard input ends. A test
# process that dies, however it dies, closes that end; so the server never outlives it.
set -eu
cd "$1"
trap 'cd / && rm -rf "$1"' EXIT
PATH="$PATH:/usr/sbin"
nginx -p "$1" -c "$1/nginx.conf" -e "$1/error.log" || { cat "$1/error.log"; exit 1; }
echo ready
cat >/dev/null || true
kill -QUIT "$(cat "$1/nginx.pid")" 2>/dev/null || true
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -e "$1/nginx.pid" ] || break; kill -TERM "$(cat "$1/nginx.pid")" 2>/dev/null || break; done
