#!/usr/bin/env bash
# Starts a container engine where none answers: Debian's own, as root. `docker/engine.sh stop` ends the one that this script started.
set -euo pipefail
root=${DBTRIAL_DOCKER_ROOT:-/var/lib/docker}
log=/var/log/dbtrial-dockerd.log
pid=/run/dbtrial-dockerd.pid

if [ "${1:-start}" = stop ]; then
  [ -f "$pid" ] || { echo "no container engine was started by this script" >&2; exit 0; }
  # The engine empties its pid file as it ends.
  engine=$(cat "$pid")
  kill "$engine" 2>/dev/null || true
  for _ in $(seq 100); do kill -0 "$engine" 2>/dev/null || break; sleep 0.1; done
  rm -f "$pid"
  exit 0
fi

if docker info >/dev/null 2>&1; then
  echo "a container engine answers already" >&2
  exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "no container engine answers, and starting one needs root on Debian: install Docker or Podman, or use provision=local" >&2
  exit 3
fi
wanted=()
command -v dockerd >/dev/null || wanted+=(docker.io)
command -v iptables >/dev/null || wanted+=(iptables)
if [ "${#wanted[@]}" -gt 0 ]; then
  echo "installing ${wanted[*]}" >&2
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >"$log" 2>&1
fi
# Where an init system runs, the package has started the engine by now.
if ! docker info >/dev/null 2>&1; then
  mkdir -p "$root"
  setsid nohup dockerd --data-root "$root" --pidfile "$pid" >>"$log" 2>&1 </dev/null &
  for _ in $(seq 150); do
    docker info >/dev/null 2>&1 && break
    sleep 0.2
  done
fi
docker info >/dev/null 2>&1 || { echo "the container engine did not start: its last words are in $log" >&2; tail -n 3 "$log" >&2; exit 3; }
echo "container engine $(docker version --format '{{.Server.Version}}') runs, data in $root" >&2
