#!/usr/bin/env bash
# Write requirements/*.txt from pyproject.toml. Needs uv.
# The names and versions alone are kept: no index, no hash, no local version (torch 2.13.0+cpu and 2.13.0 are both 2.13.0), and nothing
# that only the CUDA build of torch wants.
set -euo pipefail
cd "$(dirname "$0")/.."
# A later PyTorch brings gigabytes of CUDA wherever no CPU build of it is at hand.
compile() {
    uv pip compile --quiet --python-version 3.11 --constraint <(echo torch==2.13.0) --no-header --no-annotate --no-emit-index-url --no-emit-find-links pyproject.toml "$@" |
        sed -E 's/^(torch==[0-9.]+)\+[a-z0-9.]+/\1/' | grep -vE '^(nvidia-|cuda-|triton)'
}
compile --extra all --extra assimulo --extra build --extra datasets --extra docs --extra modelica --extra multiagent --extra notebook --extra ogclews --extra postgres --extra test --extra torch --extra train --extra weather \
    >requirements/dev.txt
# make fuzz, make sbom
uv pip compile --quiet --python-version 3.11 --group tools --constraint requirements/dev.txt --no-header --no-annotate --no-emit-index-url --no-emit-find-links >requirements/tools.txt
# what is served is what was tested
compile --extra all --constraint requirements/dev.txt >requirements/runtime.txt
# the images know PostgreSQL and Assimulo's solvers too
compile --extra all --extra assimulo --extra postgres --constraint requirements/dev.txt >requirements/image.txt
