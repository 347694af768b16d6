#!/bin/sh
# Make the passwords of the services of docker-compose.yml at random, in .secrets beside it; those that are there stay.
set -eu
umask 077
folder=${SECRETS:-$(dirname "$0")/../.secrets}
mkdir -p "$folder"
for name in database-password grafana-password; do
    [ -s "$folder/$name" ] || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$folder/$name"
done
printf 'postgresql://trivium:%s@database/trivium' "$(cat "$folder/database-password")" >"$folder/jobs-url"
# The folder keeps others out; the users of the containers, who see these files alone, must be able to read them.
chmod 644 "$folder"/*
