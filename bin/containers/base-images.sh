#!/bin/sh
# For machines that reach a Debian mirror but no image registry: makes stand-ins for the two base images from
# Debian's own packages. As root, with podman and debootstrap, after npm ci: bin/containers/base-images.sh
#   localhost/holdfast-base/node:24       Debian 12 with the Node that comes with the dependencies, and npm
#   localhost/holdfast-base/postgres:15   Debian 12's PostgreSQL 15, with the settings of the official image that we use
# DEBIAN_MIRROR names another mirror; docs/deploy.md says how to use the images.
set -eu

mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
root=$(cd "$(dirname "$0")/../.." && pwd)
node=$root/node_modules/node-linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')/bin/node
npm=$(npm root -g)/npm
[ -x "$node" ] || { echo "There is no $node; install the dependencies with: npm ci" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

debootstrap --variant=minbase --include=ca-certificates bookworm "$work/root" "$mirror" > "$work/log" 2>&1 ||
  { tail -n 20 "$work/log" >&2; exit 1; }
cat > "$work/root/etc/apt/sources.list" <<END
deb $mirror bookworm main
deb $mirror bookworm-updates main
deb ${DEBIAN_SECURITY_MIRROR:-$mirror-security} bookworm-security main
END
rm -rf "$work/root/var/cache/apt/archives" "$work/root/var/lib/apt/lists"
mkdir -p "$work/root/var/cache/apt/archives/partial" "$work/root/var/lib/apt/lists/partial"
tar -C "$work/root" -c . | podman import --quiet - localhost/holdfast-base/debian:12

mkdir -p "$work/node/bin" "$work/node/lib/node_modules"
cp "$node" "$work/node/bin/node"
cp -RL "$npm" "$work/node/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$work/node/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$work/node/bin/npx"
cat > "$work/node/Dockerfile" <<'END'
FROM localhost/holdfast-base/debian:12
COPY bin /usr/local/bin
COPY lib /usr/local/lib
CMD ["node"]
END
podman build --quiet --pull=never --format docker -t localhost/holdfast-base/node:24 "$work/node"

mkdir "$work/postgres"
cp "$root/bin/containers/postgres-entrypoint.sh" "$work/postgres/entrypoint.sh"
cat > "$work/postgres/Dockerfile" <<'END'
FROM localhost/holdfast-base/debian:12
RUN apt-get update && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql-15 && \
    rm -rf /var/lib/apt/lists/* /var/lib/postgresql/15
COPY --chmod=755 entrypoint.sh /usr/local/bin/entrypoint.sh
ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PGDATA=/var/lib/postgresql/15/docker
USER postgres
VOLUME /var/lib/postgresql
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["entrypoint.sh"]
END
podman build --quiet --pull=never --network=host --format docker -t localhost/holdfast-base/postgres:15 "$work/postgres"
echo "Made localhost/holdfast-base/node:24 and localhost/holdfast-base/postgres:15."
