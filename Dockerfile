# Windlass in one container: the engine, the console and a PostgreSQL of its
# own. State lives in one volume, /data.
FROM golang:1.26-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends nodejs npm make && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN make build

FROM debian:bookworm-slim
RUN mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
 && apt-get update && apt-get install -y --no-install-recommends postgresql ca-certificates tzdata && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /data windlass && install -d -o windlass -g windlass -m 0711 /data
COPY --from=build /src/bin/console /src/bin/anchore-cli /usr/local/bin/
USER windlass
VOLUME /data
EXPOSE 8080 8228
ENV CONSOLE_DATA_DIR=/data CONSOLE_ADDR=0.0.0.0:8080 CONSOLE_API_ADDR=0.0.0.0:8228
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["console", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["console"]
