#!/usr/bin/env bash
# Installs what dbtrial needs and this machine lacks. As root on Debian: the packages; else says what to install.
set -euo pipefail
cd "$(dirname "$0")/.."

wanted=()
command -v node >/dev/null || wanted+=(nodejs)
command -v npm >/dev/null || wanted+=(npm)
command -v java >/dev/null || wanted+=(openjdk-17-jre-headless)
command -v mvn >/dev/null || wanted+=(maven)
command -v taskset >/dev/null && command -v setpriv >/dev/null || wanted+=(util-linux)
python3 -m pip --version >/dev/null 2>&1 || /usr/bin/python3 -m pip --version >/dev/null 2>&1 || wanted+=(python3-pip)
command -v memcached >/dev/null || wanted+=(memcached)
command -v mariadbd >/dev/null || [ -x /usr/sbin/mariadbd ] || wanted+=(mariadb-server)
command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ] || wanted+=(pgbouncer)
ldconfig -p 2>/dev/null | grep -q 'libcurl\.so\.4' || wanted+=(libcurl4)

if [ "${#wanted[@]}" -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing ${wanted[*]}" >&2
    apt-get update -qq >&2
    # Servers are started by the runs: a service must not start while its package is installed, nor with the machine.
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && trap 'rm -f "$policy"' EXIT; }
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >&2
    case " ${wanted[*]} " in *" memcached "*) systemctl disable --quiet memcached 2>/dev/null || true ;; esac
    case " ${wanted[*]} " in *" mariadb-server "*) systemctl disable --quiet mariadb 2>/dev/null || true ;; esac
    case " ${wanted[*]} " in *" pgbouncer "*) systemctl disable --quiet pgbouncer 2>/dev/null || true ;; esac
  else
    echo "not installed, and candidates may be missing without them: ${wanted[*]} (as root: apt-get install ${wanted[*]})" >&2
  fi
fi
command -v npm >/dev/null || { echo "npm is not installed: install Node.js 20 or newer with npm, then run make again" >&2; exit 3; }
echo "installing npm packages" >&2
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
