# Runs one HAProxy in the folder $1, with the configuration haproxy.cfg in it, until standard input ends. A test
# process that dies, however it dies, closes that end; so the server never outlives it.
set -eu
cd "$1"
trap 'cd / && rm -rf "$1"' EXIT
PATH="$PATH:/usr/sbin"
# It goes on by itself when it listens.
haproxy -D -p "$1/haproxy.pid" -f "$1/haproxy.cfg" >"$1/log" 2>&1 || { cat "$1/log"; exit 1; }
echo ready
cat >/dev/null || true
kill -TERM "$(cat "$1/haproxy.pid")" 2>/dev/null || true
