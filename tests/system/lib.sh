# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# For system tests: TAP, a folder of the test's own, and a private agent made of the built
# programs.  POSIX sh and what a minimal system has; a test begins with
#
#     . "${SONDE_SRCDIR:?}/tests/system/lib.sh"
#
# and ends with `finish`.  Whatever happens, the processes started here are ended, by their
# number, and the folder is removed.  To run one by hand:
#
#     make -C build check TESTS=tests/system/install.test

set -u
umask 022

SRC=${SONDE_SRCDIR:?} BUILD=${SONDE_BUILDDIR:?}
unset SONDE_CONFIG
SONDE=$BUILD/sonde

SANITIZED=''  # built with --enable-sanitizers
! grep -q '^SANITIZE_CFLAGS = .*-fsanitize' "$BUILD/Makefile" || SANITIZED=yes

# Short, for a socket's path has 107 bytes; passable, for the worker's users are not ours.
T=$(mktemp -d "${TMPDIR:-/tmp}/sonde.XXXXXX") || exit 99
chmod 711 "$T"
CONF=$T/agent.conf SOCKET=$T/agent.sock LOG=$T/log/agent.log STATE=$T/state
AGENT=$BUILD/sonde-agent # a test may have one of its own
AGENT_PID='' # the agent that runs now
OURS=''      # processes that `background` started

# ---- TAP -------------------------------------------------------------------------------

tests_run=0 tests_planned=''

plan() { tests_planned=$1; echo "1..$1"; }

# Lines for the person who reads the log of a test.
diag() { printf '%s\n' "$@" | sed 's/^/# /'; }

pass() { tests_run=$((tests_run + 1)); echo "ok $tests_run - $1"; }
fail() { tests_run=$((tests_run + 1)); echo "not ok $tests_run - $1"; }
skip() { tests_run=$((tests_run + 1)); echo "ok $tests_run - $1 # SKIP $2"; }

# The whole test, before any result.
skip_all() { echo "1..0 # SKIP $1"; exit 0; }

# Neither passed nor failed: the test itself could not go on.
bail() { echo "Bail out! $1"; exit 1; }

# ok NAME COMMAND…: the command succeeds.  Its output is shown when it does not.
ok()
{
    ok_name=$1; shift
    if "$@" >"$T/ok.out" 2>&1; then pass "$ok_name"; return 0; fi
    fail "$ok_name"
    diag "failed: $*" "$(head -c 4000 "$T/ok.out")"
    return 1
}

# not_ok NAME COMMAND…: the command fails.
not_ok()
{
    ok_name=$1; shift
    if ! "$@" >"$T/ok.out" 2>&1; then pass "$ok_name"; return 0; fi
    fail "$ok_name"
    diag "succeeded: $*" "$(head -c 4000 "$T/ok.out")"
    return 1
}

# is NAME GOT WANTED: two equal texts.
is()
{
    if [ "$2" = "$3" ]; then pass "$1"; return 0; fi
    fail "$1"
    diag "got:    $2" "wanted: $3"
    return 1
}

# like NAME TEXT PATTERN: a line of the text matches this extended regular expression.
like()
{
    if printf '%s\n' "$2" | grep -Eq -e "$3"; then pass "$1"; return 0; fi
    fail "$1"
    diag "got:          $2" "no match for: $3"
    return 1
}

unlike()
{
    if ! printf '%s\n' "$2" | grep -Eq -e "$3"; then pass "$1"; return 0; fi
    fail "$1"
    diag "got:           $2" "should not be: $3"
    return 1
}

# The last line of a test.  What still runs then is a failure, but for the agent itself.
finish()
{
    agent_stop || fail "the agent stops when it is told to"
    end_ours
    wait_for 5 none_here || fail "nothing is left running"
    [ -n "$tests_planned" ] || echo "1..$tests_run"
    exit 0
}

# ---- Commands --------------------------------------------------------------------------

# run COMMAND…: leaves its exit code in $rc, its output in $out and $err.
run()
{
    rc=0
    "$@" >"$T/run.out" 2>"$T/run.err" </dev/null || rc=$?
    out=$(cat "$T/run.out") err=$(cat "$T/run.err")
}

# sonde VERB…: as a person asks the private agent.
sonde() { "$SONDE" --config "$CONF" "$@"; }

# demand KEY=VALUE…: as the contract's script does.
demand() { SONDE_CONFIG="$CONF" sh "$BUILD/cloudagentctl.sh" "$@"; }

# refuses NAME CODE PATTERN COMMAND…: the command ends with this exit code, says why on stderr
# (a line matches the pattern) and nothing on stdout.
refuses()
{
    refuse_name=$1 refuse_code=$2 refuse_text=$3; shift 3
    run "$@"
    if [ "$rc" = "$refuse_code" ] && [ -z "$out" ] &&
        printf '%s\n' "$err" | grep -Eq -e "$refuse_text"; then pass "$refuse_name"; return 0; fi
    fail "$refuse_name"
    diag "command: $*" "exit code: $rc, wanted: $refuse_code" "stdout: $out" "stderr: $err" \
        "wanted:  $refuse_text"
    return 1
}

# ask KEY=VALUE…: a demand that must be taken; its ControlId is left in $id.
ask()
{
    run demand action=demand "$@"
    id=${out#On-Demand-Request ControlId: }
    [ "$rc" = 0 ] && [ -n "$id" ] && return 0
    diag "not taken: $*" "$err"
    return 1
}

# ticket CONTROLID FIELD: what `sonde status` says of it now.
ticket() { sonde status "$1" --json | field "$2"; }
has_state() { [ "$(ticket "$1" state)" = "$2" ]; }

# as UID GROUPS COMMAND…: as another user, a member of these groups (`-`: of none).
as()
{
    as_uid=$1 as_groups=--groups=$2; shift 2
    [ "$as_groups" != --groups=- ] || as_groups=--clear-groups
    setpriv --reuid="$as_uid" --regid="$as_uid" "$as_groups" "$@"
}
OTHER_UID=64321 # nobody's, so far
can_be_others() { [ "$(id -u)" -eq 0 ] && as $OTHER_UID - true 2>/dev/null; }

# field NAME: the value of a string or number in the JSON line on stdin.
field() { sed -n "s/.*\"$1\":\"\\{0,1\\}\\([^\",}]*\\).*/\\1/p"; }

# Whole seconds that never step.
seconds() { read -r up _ </proc/uptime && echo "${up%.*}"; }

# wait_for SECONDS COMMAND…: until the command succeeds; fails when the time is over.
wait_for()
{
    wait_end=$(($(seconds) + $1)); shift
    until "$@" >/dev/null 2>&1; do
        [ "$(seconds)" -le "$wait_end" ] || return 1
        sleep 0.1
    done
}

# Is there such a process, and not just what is left of one?
alive()
{
    alive_stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    case ${alive_stat##*) } in Z* | X* | '') return 1 ;; esac
}
gone() { ! alive "$1"; }

# background COMMAND…: its number is in $!.
background()
{
    "$@" &
    OURS="$OURS $!"
}

# watch_opens FILE FOLDER…: from now on FILE lists what is opened in these folders; the first
# line is "ready".
watch_opens()
{
    watch_file=$1; shift
    background "$BUILD/tests/system/watch-open" "$@" >"$watch_file"
    wait_for 10 grep -q ready "$watch_file"
}

# Numbers of the processes that have this test's folder on their command line.
processes_here()
{
    echo "$T" | grep -lsF -f - /proc/[0-9]*/cmdline | cut -d/ -f3 | grep -vx $$
}

# ---- A private agent -------------------------------------------------------------------

# agent_conf [LINE…]: write agent.conf.  Lines are added at its end, such as
# agent_conf '[limits]' 'cpu = 1'.  Before it, a test may set:
ROOT=/                                 # the folder that is scanned
PLUGINS=$T/plugins                     # where plugins are, with `:`; by names of this
ln -s "$BUILD/.libs" "$T/plugins"      # folder, so that processes_here sees each worker
ln -s "$BUILD/tests/bad/.libs" "$T/bad"
MANIFESTS=$T/packaged                  # packaged ones: a copy that nobody else can write
for f in "$SRC"/manifests/*/manifest.json; do
    d=$MANIFESTS/$(basename "${f%/*}")
    mkdir -p "$d" && cat "$f" >"$d/manifest.json"
done
SAME_UID=deny                          # as root; without root it is `allow`
[ "$(id -u)" -eq 0 ] || SAME_UID=allow

agent_conf()
{
    mkdir -p "$T/manifests" "$T/log"
    # Interval scans come when a test wants them.
    [ -e "$T/profile.json" ] || echo '{"suspend": true}' >"$T/profile.json"
    cat >"$CONF" <<END
[paths]
state = $STATE
log = $LOG
socket = $SOCKET
plugins = $PLUGINS
manifests = $MANIFESTS
local_manifests = $T/manifests
profile = $T/profile.json
worker = $BUILD/sonde-worker
[agent]
root = $ROOT
same_uid = $SAME_UID
[log]
level = debug
END
    [ $# -eq 0 ] || printf '%s\n' "$@" >>"$CONF"
}

# bad_app WHAT [CONTENT…]: an application of this name, whose plugin does that (see
# tests/bad/bad.c); members are added to the manifest's content: bad_app work '"steps": 9'.
# Before agent_conf.
bad_app()
{
    case :$PLUGINS: in
    *":$T/bad:"*) ;;
    *) PLUGINS=$PLUGINS:$T/bad ;;
    esac
    bad_content='"do": "'$1'"'
    bad_name=$1; shift
    for c in "$@"; do bad_content="$bad_content, $c"; done
    manifest "$bad_name" "\"plugin\": \"bad\", \"content\": {$bad_content}"
}

# manifest APPLICATION MEMBERS: a local manifest with these members beside the usual ones.
manifest()
{
    mkdir -p "$T/manifests/$1"
    printf '{"application": "%s", "title": "A test", "serial": 1, %s}\n' "$1" "$2" \
        >"$T/manifests/$1/manifest.json"
}

# agent_start [ARGUMENT…]: start it and wait until it answers.
agent_start()
{
    [ -e "$CONF" ] || agent_conf
    "$AGENT" --config "$CONF" "$@" >>"$T/agent.out" 2>&1 </dev/null &
    AGENT_PID=$!
    wait_for 20 agent_answers && alive "$AGENT_PID" && return 0
    diag "the agent does not answer" "$(tail -n 20 "$T/agent.out")"
    agent_log 20
    return 1
}

agent_answers() { alive "$AGENT_PID" || return 0; sonde status; }

# The last lines of its log, for the reader of a failed test.
agent_log() { [ ! -e "$LOG" ] || diag "$(tail -n "${1:-40}" "$LOG")"; }

# agent_stop: a clean stop; fails when it had to be killed.
agent_stop()
{
    [ -n "$AGENT_PID" ] || return 0
    kill -TERM "$AGENT_PID" 2>/dev/null
    stop_r=0
    wait_for 15 gone "$AGENT_PID" || stop_r=1
    agent_kill
    return $stop_r
}

# agent_kill: as power loss would, for this process.
agent_kill()
{
    [ -n "$AGENT_PID" ] || return 0
    kill -KILL "$AGENT_PID" 2>/dev/null
    wait "$AGENT_PID" 2>/dev/null
    AGENT_PID=''
}

# ---- The end ---------------------------------------------------------------------------

# Workers end with their agent; those that do not are the test's to end.
clean_up()
{
    trap '' INT TERM HUP
    agent_stop
    end_ours
    if ! wait_for 5 none_here; then
        for p in $(processes_here); do
            diag "still there: $p $(tr '\0' ' ' 2>/dev/null <"/proc/$p/cmdline")"
            kill -KILL "$p" 2>/dev/null
        done
    fi
    cd / && rm -rf "$T"
}
end_ours() { for p in $OURS; do kill -TERM "$p" 2>/dev/null; done; OURS=''; }
none_here() { [ -z "$(processes_here)" ]; }

trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
