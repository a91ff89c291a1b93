#!/bin/sh
# Starts a hub for a moment on the first data folder, so that it makes its keys, and gives the second folder the same.
set -eu
if [ ! -e /one/keys/ring.json ]; then
    sortie hub --data /one --listen 127.0.0.1:8443 &
    hub=$!
    until [ -e /one/hub.url ]; do
        kill -0 "$hub"
        sleep 1
    done
    kill -TERM "$hub"
    wait "$hub"
fi
if [ ! -e /two/keys/ring.json ]; then
    mkdir -p /two/keys
    cp /one/keys/* /two/keys/
    cp /one/admin.token /two/admin.token
fi
