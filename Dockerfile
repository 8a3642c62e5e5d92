# One image for web, worker and migrate; docker-compose.yml says which is which.
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
ENV NEXT_TELEMETRY_DISABLED=1
COPY package.json package-lock.json .npmrc ./
# Where TLS is inspected on the way out: --secret id=extra_ca,src=<file of that authority>. It stays out of the image.
RUN --mount=type=secret,id=extra_ca \
    if [ -s /run/secrets/extra_ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/extra_ca; fi; \
    npm ci --omit=dev --no-audit --no-fund --fetch-retries=2
COPY . .
# The image brings its own Node 24, so the bundled one goes; so does what only generates, compiles or is bundled by now.
RUN rm -rf node_modules/node-linux-* node_modules/.bin/node && node bin/build.mjs && cd node_modules && \
    rm -rf ../.next/cache .cache typescript @tabler effect @electric-sql elkjs @prisma/dev @prisma/studio-core

FROM ${NODE_IMAGE}
# Client tools of every supported major come from PostgreSQL's own archive. Where that can't be reached, an empty PGDG
# takes Debian's own: 15 alone.
ARG PGDG=https://apt.postgresql.org/pub/repos/apt
ARG POSTGRES_MAJORS="13 14 15 16 17 18"
RUN --mount=type=secret,id=extra_ca \
    set -eu; export DEBIAN_FRONTEND=noninteractive; \
    apt-get update; \
    apt-get install -y --no-install-recommends ca-certificates bubblewrap age zstd mariadb-client mariadb-server-core; \
    if [ -n "$PGDG" ]; then \
      apt-get install -y --no-install-recommends postgresql-common; \
      key=$(ls /usr/share/postgresql-common/pgdg/apt.postgresql.org.* | grep -E '\.(asc|gpg)$' | head -n 1); \
      . /etc/os-release; \
      echo "deb [signed-by=$key] $PGDG $VERSION_CODENAME-pgdg main" > /etc/apt/sources.list.d/pgdg.list; \
      trust=""; if [ -s /run/secrets/extra_ca ]; then trust="-o Acquire::https::CaInfo=/run/secrets/extra_ca"; fi; \
      apt-get $trust update; \
      apt-get $trust install -y --no-install-recommends $(printf ' postgresql-client-%s' $POSTGRES_MAJORS); \
    else \
      apt-get install -y --no-install-recommends postgresql-client-15; \
    fi; \
    rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old; \
    useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin holdfast; \
    install -d -o holdfast -g holdfast -m 0700 /data /keys /work
WORKDIR /app
# Owned by root: the processes can't change what they run.
COPY --from=build /app ./
ENV NODE_ENV=production NEXT_TELEMETRY_DISABLED=1 HOST=0.0.0.0 PORT=3000 \
    HOLDFAST_DATA=/data HOLDFAST_KEYS=/keys HOLDFAST_TEMP=/work HOLDFAST_INSTALL_TOOLS=off
USER holdfast
# No VOLUME: where one is forgotten, a read-only root refuses instead of writing into a volume that nobody keeps.
EXPOSE 3000
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s CMD ["node", "bin/health.mjs", "web"]
CMD ["node", "bin/web.mjs"]
