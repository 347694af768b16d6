# Two images from one file, by BuildKit (Docker 25 or newer; docs/deployment.md):
#   docker build .                  pip alone: FMPy, and Assimulo's solvers (the default)
#   docker build --target full .    PyFMI and Assimulo from conda-forge, and FMPy
# In both the build steps the plant through the engines that the image has, and fails when that fails.
# Bases can be pinned to what they are today: --build-arg PYTHON_IMAGE=python:3.11-slim@sha256:...
ARG PYTHON_IMAGE=python:3.11-slim
ARG MICROMAMBA_IMAGE=mambaorg/micromamba:2.0.5

FROM ${PYTHON_IMAGE} AS base
ARG PIP_INDEX_URL=""
ARG PIP_EXTRA_INDEX_URL=""
ENV PIP_CACHE_DIR=/var/cache/pip
COPY requirements/image.txt deploy/image/install.sh /build/

# Without CMake, which FMPy lists for what compiles FMUs. Secrets that may be given: `ca`, the certificates to trust while packages are loaded, and `pip`, a pip.conf.
FROM base AS packages
RUN --mount=type=cache,target=/var/cache/pip --mount=type=secret,id=ca --mount=type=secret,id=pip,target=/etc/pip.conf \
    python -m venv --without-pip /opt/trivium && sh /build/install.sh /opt/trivium/bin/python cmake

FROM ${MICROMAMBA_IMAGE} AS micromamba

FROM base AS environment
ENV MAMBA_ROOT_PREFIX=/opt/mamba
COPY --from=micromamba /bin/micromamba /bin/micromamba
COPY environment.yml /build/
RUN --mount=type=cache,target=/var/cache/pip --mount=type=cache,target=/opt/mamba/pkgs \
    --mount=type=secret,id=ca --mount=type=secret,id=pip,target=/etc/pip.conf \
    if [ -s /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca REQUESTS_CA_BUNDLE=/run/secrets/ca; fi \
    && micromamba create --yes --always-copy --prefix /opt/trivium --file /build/environment.yml \
    && micromamba env export --explicit --prefix /opt/trivium >/opt/trivium/explicit.txt \
    && sh /build/install.sh /opt/trivium/bin/python cmake assimulo-testing

# What both images are, but for the packages.
FROM ${PYTHON_IMAGE} AS application
ARG VERSION=0.1.0
ARG REVISION=""
LABEL org.opencontainers.image.title="Trivium" \
    org.opencontainers.image.description="A simulation model, and three ways to run it: step it, sweep it, converge it with others" \
    org.opencontainers.image.licenses="BSD-3-Clause" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
# Any user of the group 0 may write the state, as OpenShift runs containers; a home that is there without a volume.
RUN useradd --no-create-home --home-dir /tmp --uid 57439 --gid 0 trivium && install -d -o trivium -g 0 -m 0770 /state
WORKDIR /app
COPY trivium trivium
COPY Resources Resources
COPY examples examples
COPY pyproject.toml gunicorn.conf.py restapi.py testcase.py ./
RUN python -m compileall -q trivium restapi.py testcase.py
ENV PATH=/opt/trivium/bin:$PATH HOME=/tmp HOST=0.0.0.0 PORT=5000 TRIVIUM_STATE_DIR=/state \
    PYTHONPATH=/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MPLCONFIGDIR=/tmp/matplotlib NUMBA_CACHE_DIR=/tmp/numba
EXPOSE 5000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --start-interval=2s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health/ready', timeout=9)"]
CMD ["gunicorn", "restapi:app"]

FROM application AS full
COPY --link --from=environment /opt/trivium /opt/trivium
USER 57439
# An image is not built when PyFMI and Assimulo do not fit together or cannot step the plant.
RUN --mount=type=tmpfs,target=/tmp TRIVIUM_STATE_DIR=/tmp/state TRIVIUM_ENGINE=pyfmi python -m trivium.cli doctor

FROM application AS slim
COPY --link --from=packages /opt/trivium /opt/trivium
USER 57439
RUN --mount=type=tmpfs,target=/tmp TRIVIUM_STATE_DIR=/tmp/state python -m trivium.cli doctor
