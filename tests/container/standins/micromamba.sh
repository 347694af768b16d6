#!/bin/sh
# micromamba create --yes --always-copy --prefix FOLDER --file FILE; micromamba env export --explicit --prefix FOLDER
set -eu
case "$1 $2" in
"create --yes") python -m venv --without-pip "$5" ;;
"env export") echo "# nothing" ;;
*) exit 2 ;;
esac
