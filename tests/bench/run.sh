#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Footprint and speed, one table each, with the peer beside it where one is installed:
#
#     make -C build bench                  all of them
#     make -C build bench BENCH="inv idle" some: prompt inv idle start pace
#
# Medians; run it on a quiet machine.  tests/bench/RESULTS.md keeps the last results.
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
    printf '| %-44s | %9s | %9s | %9s |\n' "$1" "$(of "$2" "$3" | column 2 50)" \
        "$(of "$2" "$3" | column 3 50)" "$(of "$2" "$3" | column 4 50)"
}
head_row()
{
    printf '\n| %-44s | %9s | %9s | %9s |\n' "$1" 'wall ms' 'CPU ms' 'peak KiB'
    echo '| --- | ---: | ---: | ---: |'
}

# CPU time in clock ticks of a process and of all that it waited for.
ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 + $14 + $15 }' "/proc/$1/stat"; }

# agent_cpu_ms COMMAND…: what the agent and its workers used meanwhile.
agent_cpu_ms()
{
    cpu_before=$(ticks "$AGENT_PID")
    "$@" >/dev/null
    echo $((($(ticks "$AGENT_PID") - cpu_before) * 1000 / $(getconf CLK_TCK)))
}

scan_n()
{
    scan_left=$1
    while [ "$scan_left" -gt 0 ]; do
        sonde scan inv --wait || return 1
        scan_left=$((scan_left - 1))
    done
}

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

# A whole inventory: scan and store, agent and command; and what the host's own tool takes for
# its packages alone, and osquery for the same kinds.
bench_inv()
{
    n=10
    scan_n 1 >/dev/null # what is new is written once
    cpu=$(agent_cpu_ms scan_n $n)
    "$WATCH" $n "$SONDE" --config "$CONF" scan inv --wait --vs dpkg-query -W \
        >"$T/inv" 2>/dev/null
    head_row "inv, unchanged host, median of $n"
    row 'sonde scan inv --wait (the command alone)' A "$T/inv"
    printf '| %-44s | %9s | %9s | %9s |\n' 'agent, keeper, runner, verify, store' '' \
        "$((cpu / n))" "$(peak_of_scan)"
    ! command -v dpkg-query >/dev/null || row 'dpkg-query -W (packages alone)' B "$T/inv"
    if command -v "$OSQUERYI" >/dev/null; then
        peer="SELECT * FROM deb_packages; SELECT * FROM users; SELECT * FROM groups;
            SELECT * FROM mounts; SELECT * FROM block_devices; SELECT * FROM os_version;
            SELECT * FROM interface_addresses; SELECT * FROM interface_details;
            SELECT * FROM listening_ports; SELECT * FROM system_info;"
        "$WATCH" $n "$OSQUERYI" --json "$peer" >"$T/peer"
        row 'osqueryi, the same kinds' A "$T/peer"
    else
        echo "(no osqueryi here: OSQUERYI=PATH names one)"
    fi
    if command -v fusioninventory-inventory >/dev/null; then
        "$WATCH" 5 fusioninventory-inventory >"$T/peer"
        row 'fusioninventory-inventory' A "$T/peer"
    else
        echo "(no fusioninventory-inventory here)"
    fi
    echo "stored: $(wc -c <"$STATE/results/sonde.db") bytes," \
        "$(sonde query 'SELECT count(*) FROM records' --json | field 'count(\*)') records"
}
peak_of_scan() { sed -n 's/.*ended: DONE.*peak memory \([0-9]*\) KiB.*/\1/p' "$LOG" | tail -n 1; }

bench_idle()
{
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

bad_app work '"steps": 2000'
bad_app stamp
agent_conf
agent_start || exit 1
uname -srm | sed 's/^/on /'
echo "$(nproc) processors, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(date -u +%F)"
for b in ${BENCH:-prompt inv idle start pace}; do
    "bench_$b"
done
agent_stop
