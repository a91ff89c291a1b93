# Runs one private NATS server with the configuration $1, until standard input ends: a test process that dies,
# however it dies, closes that end. Its log goes to standard output, after its process id.
set -u
PATH="$PATH:/usr/sbin"
nats-server -c "$1" 2>&1 &
server=$!
echo "pid $server"
trap 'kill "$server" 2>/dev/null; wait "$server"' EXIT
cat >/dev/null || true
