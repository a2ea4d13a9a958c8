#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Footprint and speed, one table each, with the peer beside it where one is installed:
#
#     make -C build bench                  all of them
#     make -C build bench BENCH="inv idle" some: prompt inv idle start pace schedule
#
# Medians, unless a row says otherwise; run it on a quiet machine.  tests/bench/RESULTS.md keeps the last results.
. "${SONDE_SRCDIR:?}/tests/system/lib.sh"

WATCH=$BUILD/tests/bench/stopwatch
OSQUERYI=${OSQUERYI:-osqueryi}

# column N P: the P-th percentile of column N of stdin.
column()
{
    awk -v n="$1" '{ print $n }' | sort -n |
        awk -v p="$2" '{ v[NR] = $1 } END { i = int((NR - 1) * p / 100 + 0.5) + 1; print v[i] }'
}

# of A|B FILE: the lines of one of two commands.
of() { grep "^$1 " "$2"; }

# row NAME A|B FILE: medians of wall, CPU and peak.
row()
{
    printf '| %-46s | %9s | %9s | %9s |\n' "$1" "$(of "$2" "$3" | column 2 50)" \
        "$(of "$2" "$3" | column 3 50)" "$(of "$2" "$3" | column 4 50)"
}
head_row()
{
    printf '\n| %-46s | %9s | %9s | %9s |\n' "$1" 'wall ms' 'CPU ms' 'peak KiB'
    echo '| --- | ---: | ---: | ---: |'
}

# CPU time in clock ticks of a process and of all that it waited for.
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 + $14 + $15 }' "/proc/$1/stat"; }

# How long until the prompt is back; each request is ended before the next one.
bench_prompt()
{
    n=200 i=0
    : >"$T/prompt"
    while [ $i -lt $n ]; do
        SONDE_CONFIG=$CONF "$WATCH" 1 sh "$BUILD/cloudagentctl.sh" action=demand type=inv \
            cputhrottle=0 >>"$T/prompt"
        scan_end
        i=$((i + 1))
    done
    echo
    echo "prompt: cloudagentctl.sh action=demand, $n times: p50 $(column 2 50 <"$T/prompt") ms," \
        "p99 $(column 2 99 <"$T/prompt") ms"
}
scan_end() { wait_for 20 no_scan; }
no_scan() { ! sonde status inv --json | grep -q '"state":"\(QUEUED\|RUNNING\)"'; }

# pair NAME COMMAND…: an inventory and a peer in turn, n times; agent and workers are counted
# over the same runs.
pair()
{
    pair_name=$1
    shift
    cpu_before=$(ticks "$AGENT_PID")
    "$WATCH" $n "$SONDE" --config "$CONF" scan inv --wait --vs "$@" >"$T/pair" 2>/dev/null
    cpu=$((($(ticks "$AGENT_PID") - cpu_before) * 1000 / $(getconf CLK_TCK) / n))
    head_row "$n times in turn, median"
    row 'sonde scan inv --wait: the command' A "$T/pair"
    printf '| %-46s | %9s | %9s | %9s |\n' 'its agent, scan, verify and store (CPU: mean)' '' \
        "$cpu" "$(peak)"
    row "$pair_name" B "$T/pair"
}

# The largest process of all: agent, and keeper, runner and store of any scan so far.
peak()
{
    {
        sed -n 's/.*peak memory \([0-9]*\) KiB.*/\1/p' "$LOG"
        awk '/^VmHWM/ { print $2 }' "/proc/$AGENT_PID/status"
    } | sort -n | tail -n 1
}

# A whole inventory of an unchanged host, and what the host's own tool takes for its packages
# alone, and what others take for about the same facts.
bench_inv()
{
    n=10
    sonde scan inv --wait >/dev/null # what is new is written once
    ! command -v dpkg-query >/dev/null || pair 'dpkg-query -W (packages alone)' dpkg-query -W
    if command -v "$OSQUERYI" >/dev/null; then
        pair 'osqueryi, the same kinds' "$OSQUERYI" --json "
            SELECT * FROM deb_packages; SELECT * FROM users; SELECT * FROM groups;
            SELECT * FROM mounts; SELECT * FROM block_devices; SELECT * FROM os_version;
            SELECT * FROM interface_addresses; SELECT * FROM interface_details;
            SELECT * FROM listening_ports; SELECT * FROM system_info;"
    else
        echo "(no osqueryi here: OSQUERYI=PATH names one)"
    fi
    if command -v fusioninventory-inventory >/dev/null; then
        pair 'fusioninventory-inventory' fusioninventory-inventory
    else
        echo "(no fusioninventory-inventory here)"
    fi
    echo
    echo "stored: $(wc -c <"$STATE/results/sonde.db") bytes," \
        "$(sonde query 'SELECT count(*) AS n FROM records' --json | field n) records"
}

# With interval scans that are hours away.
bench_idle()
{
    printf '{"applications": {"example": {"active": false}, "stamp": {"interval": "30d"}, "work": {"interval": "30d"}}}\n' \
        >"$T/profile.json"
    kill -HUP "$AGENT_PID"
    wait_for 5 next_is_away
    seconds_idle=${IDLE_SECONDS:-60}
    sleep 2
    before=$(switches) cpu=$(ticks "$AGENT_PID")
    sleep "$seconds_idle"
    echo
    echo "idle for $seconds_idle s: $(($(switches) - before)) context switches," \
        "$(($(ticks "$AGENT_PID") - cpu)) ticks of CPU time," \
        "PSS $(awk '/^Pss:/ { print $2 }' "/proc/$AGENT_PID/smaps_rollup") KiB," \
        "RSS $(awk '/^Rss:/ { print $2 }' "/proc/$AGENT_PID/smaps_rollup") KiB"
}
next_is_away() { sonde apps --json | grep '"inv"' | grep -q '"next_scan":"2'; }
switches() { awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$AGENT_PID/status"; }

# From the request to the plugin's first step, which notes the monotonic time.
bench_start()
{
    n=50 i=0
    : >"$T/start"
    while [ $i -lt $n ]; do
        asked=$("$WATCH" now)
        sonde scan stamp --wait >/dev/null
        stepped=$(sonde records stamp --json | field ns)
        echo "A $(((stepped - asked) / 1000))" >>"$T/start"
        i=$((i + 1))
    done
    echo
    echo "start: from the request to the first step, $n times: p50 $(column 2 50 <"$T/start") us," \
        "p99 $(column 2 99 <"$T/start") us (with the start of the command)"
}

# The share that a scan of 1 ms steps takes at cputhrottle 90.
bench_pace()
{
    asked=$("$WATCH" now)
    sonde scan work --throttle 90 --wait >/dev/null
    ended=$("$WATCH" now)
    cpu=$(sonde status work --json | sed -n 's/.*"cpu_seconds":\([0-9.]*\).*/\1/p' | head -n 1)
    echo
    awk -v cpu="$cpu" -v wall="$((ended - asked))" 'BEGIN {
        printf "pace: cputhrottle 90, 1 ms steps: %.3f s of CPU time in %.2f s: %.2f %% (rule: 10 %%)\n",
            cpu, wall / 1e9, cpu / wall * 1e11 }'
}

# How evenly the scans of 100,000 hosts start: no clock and no agent takes part.
bench_schedule()
{
    echo
    "$BUILD/tests/bench/simulate"
}

bad_app work '"steps": 2000'
bad_app stamp
agent_conf
agent_start || exit 1
uname -srm | sed 's/^/on /'
echo "$(nproc) processors, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(date -u +%F)"
for b in ${BENCH:-prompt inv idle start pace schedule}; do
    "bench_$b"
done
agent_stop
