# A stand-in for python:3.11-slim: Debian, and the CPython that runs the tests, laid beside this file.
FROM trivium-test/debian
RUN apt-get update -q && apt-get install -qy --no-install-recommends libbz2-1.0 libexpat1 libffi8 liblzma5 libncursesw6 \
    libreadline8t64 libsqlite3-0 libssl3t64 libuuid1 zlib1g && apt-get clean && rm -rf /var/lib/apt/lists/*
COPY usr /usr
RUN ldconfig && python -m compileall -q /usr/local/lib
CMD ["python3"]
