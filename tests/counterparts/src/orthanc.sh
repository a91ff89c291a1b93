# Runs one private imaging server with the configuration $1, until standard input ends: a test process that
# dies, however it dies, closes that end. Its log goes to standard output.
set -u
Orthanc "$1" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server"' EXIT
cat >/dev/null || true
