#!/bin/sh
# install.sh PYTHON [WITHOUT...]: install the lock of the images for an interpreter, but for the packages named.
# The lock is complete, so that nothing else is installed; what conda brought in the versions of the lock stays.
set -eu
python=$1
shift
if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi
for variable in PIP_INDEX_URL PIP_EXTRA_INDEX_URL; do # pip takes an empty one for an address
    eval "[ -n \"\${$variable:-}\" ]" || unset "$variable"
done
lock=$(mktemp)
cp /build/image.txt "$lock"
for package in "$@"; do sed -i "/^$package==/d" "$lock"; done
python -m pip --python "$python" --disable-pip-version-check install --quiet --no-deps --requirement "$lock"
# A sixth of what was installed is never used: packages' own tests (but NumPy's, which numpy.testing needs), and maps of scripts.
packages=$("$python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
find "$packages" -type d \( -name tests -o -name test \) -not -path '*/numpy/*' -prune -exec rm -r {} +
find "$packages" -name '*.js.map' -delete
