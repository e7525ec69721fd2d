#!/usr/bin/env bash
# Brings the real servers that the tests of the network stores talk to: nginx from the system's packages (needs root), and s3rver from the npm
# registry into artifacts/test-servers. What is there already is left alone; what cannot be had is said, and its tests skip.
set -uo pipefail
cd "$(dirname "$0")/.."
if ! command -v nginx >/dev/null && [ ! -x /usr/sbin/nginx ]; then
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light; } >/dev/null 2>&1 ||
      echo "nginx could not be installed"
  else
    echo "nginx is not installed, and only root can install it with apt-get"
  fi
fi
if [ ! -e artifacts/test-servers/node_modules/.bin/s3rver ]; then
  if command -v npm >/dev/null; then
    mkdir -p artifacts/test-servers
    npm install --prefix artifacts/test-servers --no-audit --no-fund --ignore-scripts s3rver@3.7.1 >/dev/null 2>&1 ||
      echo "s3rver could not be installed"
  else
    echo "npm is not installed, so s3rver cannot be"
  fi
fi
exit 0
