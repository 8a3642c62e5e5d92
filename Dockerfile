# One image for web, worker and migrate; docker-compose.yml says which is which.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
# Behind a proxy with an authority of its own: --build-arg NODE_EXTRA_CA_CERTS=<file in the base image>
ARG NODE_EXTRA_CA_CERTS=
ENV NEXT_TELEMETRY_DISABLED=1
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund --fetch-retries=2
COPY . .
# The image brings its own Node 24, so the bundled one goes.
RUN rm -rf node_modules/node-linux-* node_modules/.bin/node && node bin/build.mjs && rm -rf .next/cache

FROM ${NODE_IMAGE}
# Client tools of every supported major come from PGDG; an empty PGDG takes Debian's own (15) where it can't be reached.
ARG PGDG=https://apt.postgresql.org/pub/repos/apt
ARG POSTGRES_MAJORS="13 14 15 16 17 18"
RUN set -eu; export DEBIAN_FRONTEND=noninteractive; \
    apt-get update; \
    apt-get install -y --no-install-recommends ca-certificates bubblewrap age zstd; \
    if [ -n "$PGDG" ]; then \
      apt-get install -y --no-install-recommends postgresql-common; \
      key=$(ls /usr/share/postgresql-common/pgdg/apt.postgresql.org.* | grep -E '\.(asc|gpg)$' | head -n 1); \
      echo "deb [signed-by=$key] $PGDG bookworm-pgdg main" > /etc/apt/sources.list.d/pgdg.list; \
      apt-get update; \
      for major in $POSTGRES_MAJORS; do apt-get install -y --no-install-recommends "postgresql-client-$major"; done; \
    else \
      apt-get install -y --no-install-recommends postgresql-client-15; \
    fi; \
    rm -rf /var/lib/apt/lists/*; \
    useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin holdfast; \
    install -d -o holdfast -g holdfast -m 0700 /data /keys /work
WORKDIR /app
# Owned by root: the processes can't change what they run.
COPY --from=build /app ./
ENV NODE_ENV=production NEXT_TELEMETRY_DISABLED=1 HOST=0.0.0.0 PORT=3000 \
    HOLDFAST_DATA=/data HOLDFAST_KEYS=/keys HOLDFAST_TEMP=/work HOLDFAST_INSTALL_TOOLS=off
USER holdfast
VOLUME ["/data", "/keys", "/work"]
EXPOSE 3000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["node", "bin/health.mjs", "web"]
CMD ["node", "bin/web.mjs"]
