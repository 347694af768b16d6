# A stand-in for prom/prometheus: Debian's.
FROM trivium-test/debian
RUN apt-get update -q && apt-get install -qy --no-install-recommends prometheus && apt-get clean && rm -rf /var/lib/apt/lists/* \
    && install -d -o nobody -g nogroup /prometheus
USER nobody
VOLUME /prometheus
WORKDIR /prometheus
ENTRYPOINT ["prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
