#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job on this machine: a private agent in a temporary folder takes one inventory of
# this host on demand.  Nothing is installed and nothing is left behind.
#   tests/demo.sh BUILD-FOLDER
set -eu
umask 022

build=${1:?usage: demo.sh BUILD-FOLDER}
src=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d "${TMPDIR:-/tmp}/sonde-demo.XXXXXX")
chmod 711 "$dir" # root's workers run as users of their own
agent=''

clean_up()
{
    [ -z "$agent" ] || { kill "$agent" 2>/dev/null && wait "$agent" 2>/dev/null; } || :
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

say() { printf '\n== %s\n' "$1"; }

# A command as it is typed, and what it prints.
show()
{
    printf '$ %s\n' "$*"
    "$@"
}

# Copies are ours and writable by nobody else, whoever owns this checkout: the agent asks for
# that.
mkdir "$dir/plugins" "$dir/packaged"
cp "$build"/.libs/*.so "$dir/plugins/"
for app in "$src"/manifests/*/manifest.json; do
    name=${app%/manifest.json}
    mkdir "$dir/packaged/${name##*/}"
    cp "$app" "$dir/packaged/${name##*/}/"
done

cat >"$dir/agent.conf" <<END
[paths]
state = $dir/state
log = $dir/agent.log
socket = $dir/agent.sock
plugins = $dir/plugins
manifests = $dir/packaged
local_manifests = $dir/manifests
profile = $dir/profile.json
worker = $build/sonde-worker
END
cp "$src/manifests/profile.json" "$dir/profile.json"
if [ "$(id -u)" -eq 0 ]; then
    echo "As root: plugins run as a user of their own that can read the host and change nothing."
else
    printf '[agent]\nsame_uid = allow\n' >>"$dir/agent.conf"
    echo "Not as root: same_uid = allow, so the plugin runs as you, with your rights."
fi

SONDE_CONFIG=$dir/agent.conf
PATH=$build:$PATH
export SONDE_CONFIG PATH

say "A private agent"
echo "\$ sonde-agent --config agent.conf &"
"$build/sonde-agent" --config "$dir/agent.conf" &
agent=$!
tries=0
until sonde status >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || { echo "demo: the agent does not answer" >&2; exit 1; }
    sleep 0.1
done
show sonde apps

say "One inventory on demand: the prompt is back at once"
line=$(cloudagentctl.sh action=demand type=inv cputhrottle=0)
echo "\$ cloudagentctl.sh action=demand type=inv cputhrottle=0"
echo "$line"
id=${line##* }

say "Followed to its end"
show sonde wait "$id"
show sonde status "$id"

say "Ten packages"
echo "\$ sonde records package | head"
sonde records package >"$dir/packages" 2>&1 || :
head -n 11 "$dir/packages"

say "Any question, in SQL"
show sonde query "SELECT kind, count(*) AS records FROM records GROUP BY kind ORDER BY 2 DESC"

say "What it cost"
sonde status "$id" --json |
    sed -n 's/.*"cpu_seconds":\([0-9.]*\).*/CPU time of the whole scan: \1 s/p'
sed -n 's/.*peak memory \([0-9]*\) KiB.*/Peak memory of its largest process: \1 KiB/p' \
    "$dir/agent.log"
awk '/^VmHWM/ { print "Peak memory of the agent: " $2 " KiB" }' "/proc/$agent/status"

cat <<END

== The same by hand
As root:  make -C build install
          sonde-agent &
          cloudagentctl.sh action=demand type=inv cputhrottle=90
          sonde wait CONTROLID; sonde records package; sonde changes
END
