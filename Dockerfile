# Two images from one file:
#   docker build .                  PyFMI and Assimulo from conda-forge, and FMPy (the default)
#   docker build --target slim .    pip alone, FMPy
# In both the build steps the plant through every engine and fails when that fails.

FROM python:3.11-slim AS slim
ARG PIP_EXTRA_INDEX_URL=""
WORKDIR /app
COPY requirements/image.txt requirements/
RUN PIP_EXTRA_INDEX_URL="$PIP_EXTRA_INDEX_URL" pip install --no-cache-dir -r requirements/image.txt
COPY trivium trivium
COPY Resources Resources
COPY examples examples
COPY pyproject.toml gunicorn.conf.py restapi.py testcase.py ./
RUN useradd --create-home --uid 57439 trivium && install -d -o trivium /state
USER 57439
ENV HOST=0.0.0.0 PORT=5000 TRIVIUM_STATE_DIR=/state PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MPLCONFIGDIR=/tmp/matplotlib NUMBA_CACHE_DIR=/tmp/numba
RUN python -m trivium.cli doctor
VOLUME /state
EXPOSE 5000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health/ready', timeout=9)"]
CMD ["gunicorn", "restapi:app"]

FROM mambaorg/micromamba:2.0.5 AS environment
COPY --chown=$MAMBA_USER:$MAMBA_USER environment.yml /tmp/environment.yml
COPY --chown=$MAMBA_USER:$MAMBA_USER requirements/container.txt /tmp/requirements/container.txt
WORKDIR /tmp
RUN micromamba create --yes --prefix /opt/conda/envs/trivium --file environment.yml && micromamba clean --all --yes

FROM debian:12-slim AS full
COPY --from=environment /opt/conda/envs/trivium /opt/conda/envs/trivium
WORKDIR /app
COPY trivium trivium
COPY Resources Resources
COPY examples examples
COPY pyproject.toml gunicorn.conf.py restapi.py testcase.py ./
RUN useradd --create-home --uid 57439 trivium && install -d -o trivium /state
USER 57439
ENV PATH=/opt/conda/envs/trivium/bin:$PATH \
    HOST=0.0.0.0 PORT=5000 TRIVIUM_STATE_DIR=/state PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MPLCONFIGDIR=/tmp/matplotlib NUMBA_CACHE_DIR=/tmp/numba
# An image is not built when PyFMI and Assimulo do not fit together or cannot step the plant.
RUN TRIVIUM_ENGINE=pyfmi python -m trivium.cli doctor
VOLUME /state
EXPOSE 5000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health/ready', timeout=9)"]
CMD ["gunicorn", "restapi:app"]
