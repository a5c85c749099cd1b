#!/usr/bin/env bash
# The native tools that we compare with: Debian packages as root, latte by cargo; what cannot be had is left out of the table.
set -u
as=()
[ "$(id -u)" = 0 ] || as=(sudo -n)
missing=()
command -v pgbench >/dev/null && command -v psql >/dev/null || missing+=(postgresql postgresql-client)
command -v redis-benchmark >/dev/null || missing+=(redis-tools)
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}" >&2
  "${as[@]}" apt-get update -qq && "${as[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || echo "could not install ${missing[*]}" >&2
fi
if ! command -v latte >/dev/null && [ ! -x "$HOME/.cargo/bin/latte" ] && command -v cargo >/dev/null; then
  echo "building latte, some minutes" >&2
  cargo install --quiet --locked --version 0.29.0 latte-cli >&2 || echo "latte could not be built: Cassandra is left out" >&2
fi
