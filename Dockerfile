FROM python:3.11-slim
ARG PIP_EXTRA_INDEX_URL=""
WORKDIR /app
COPY requirements/runtime.txt requirements/
RUN PIP_EXTRA_INDEX_URL="$PIP_EXTRA_INDEX_URL" pip install --no-cache-dir -r requirements/runtime.txt
COPY adcc adcc
COPY Resources Resources
COPY gunicorn.conf.py restapi.py testcase.py ./
RUN useradd --create-home adcc && install -d -o adcc /state
USER adcc
ENV HOST=0.0.0.0 PORT=5000 ADCC_STATE_DIR=/state PYTHONUNBUFFERED=1
# An image whose plant cannot be stepped is not built.
RUN python -m adcc.cli doctor
VOLUME /state
EXPOSE 5000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health', timeout=9)"]
CMD ["gunicorn", "restapi:app"]
