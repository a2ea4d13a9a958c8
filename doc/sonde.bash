# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of sonde(1) and cloudagentctl.sh(1) for bash.  What can be asked is asked: the
# commands of `sonde help`, the applications and requests of the agent, the kinds of the
# results.  Where nobody answers, nothing is completed.

# Ask the program that is being typed, or the one beside cloudagentctl.sh.  A hung agent
# holds the prompt for 2 s at most.
_sonde_ask()
{
    local program=${words[0]/#\~/$HOME}

    [[ ${program##*/} == cloudagentctl.sh ]] && program=${program%cloudagentctl.sh}sonde
    timeout 2 "$program" "${config[@]}" "$@" 2>/dev/null </dev/null
}

# The values of one member of JSON objects, one a line.
_sonde_member()
{
    local line value

    while read -r line; do
        value=${line#*"\"$1\":\""}
        [[ $value == "$line" ]] || printf '%s\n' "${value%%\"*}"
    done
}

_sonde_commands()
{
    local line pattern='^  ([a-z]+) '

    while IFS= read -r line; do
        [[ $line =~ $pattern ]] && printf '%s\n' "${BASH_REMATCH[1]}"
    done < <(_sonde_ask help)
}

_sonde_apps() { _sonde_ask apps --json | _sonde_member application; }
_sonde_kinds() { _sonde_ask query 'SELECT DISTINCT kind FROM records' --json | _sonde_member kind; }

# Requests, newest first; with "open" those that have not ended.
_sonde_requests()
{
    local line

    while read -r line; do
        [[ $1 != open || $line == *'"state":"'@(QUEUED|DELAYED|RUNNING)'"'* ]] &&
            printf '%s\n' "$line"
    done < <(_sonde_ask status --json) | _sonde_member control_id
}

# Offer these words, after what stands before them in the same word ("type=").  Where "=" breaks
# words, readline replaces only what is behind it.
_sonde_offer()
{
    local before=$1 word
    shift

    [[ $COMP_WORDBREAKS == *=* ]] && before=
    while read -r word; do
        [[ -n $word ]] && COMPREPLY+=("$before$word")
    done < <(compgen "$@" -- "${cur#*=}")
}

# action=, type= and cputhrottle=, each once.
_sonde_contract()
{
    local key

    case $cur in
    [Aa][Cc][Tt][Ii][Oo][Nn]=*) _sonde_offer "${cur%%=*}=" -W demand ;;
    [Tt][Yy][Pp][Ee]=*) _sonde_offer "${cur%%=*}=" -W "$(_sonde_apps)" ;;
    *=*) ;;
    *)
        for key in action= type= cputhrottle=; do
            [[ " ${words[*]} " == *" $key"* && $cur != "$key"* ]] ||
                _sonde_offer '' -W "$key"
        done
        compopt -o nospace 2>/dev/null
        ;;
    esac
}

# The line up to the cursor as whole words, whatever breaks words for readline: sets words,
# cur, and config, the option as it was typed.
_sonde_words()
{
    local i

    read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
    [[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=('')
    cur=${words[-1]}
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        case ${words[i]} in
        --config=*) config=("${words[i]/#--config=\~/--config=$HOME}") ;;
        --config) ((i + 2 < ${#words[@]})) && config=(--config "${words[i + 1]/#\~/$HOME}") ;;
        esac
    done
}

_sonde()
{
    local cur verb='' name='' options='--config --json --help --version' i
    local -a words=() config=()

    COMPREPLY=()
    _sonde_words
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        case ${words[i]} in
        --config | --throttle | --timeout | --limit) ((i++)) ;;
        -*) ;;
        *)
            [[ -n $verb ]] && name=${name:-${words[i]}}
            verb=${verb:-${words[i]}}
            ;;
        esac
    done
    case $verb in
    scan) options+=' --throttle --timeout --wait' ;;
    wait) options+=' --timeout' ;;
    list) options+=' --limit --open' ;;
    esac
    case ${words[-2]} in
    --config) _sonde_offer '' -f; return ;;
    --throttle | --timeout | --limit) return ;;
    esac
    case $cur in
    --config=*) _sonde_offer --config= -f; return ;;
    -*) _sonde_offer '' -W "$options"; return ;;
    esac
    case $verb in
    '') _sonde_offer '' -W "$(_sonde_commands)" ;;
    help) _sonde_offer '' -W "$(_sonde_commands)" ;;
    scan | list | activate | deactivate) _sonde_offer '' -W "$(_sonde_apps)" ;;
    demand) _sonde_contract ;;
    status) _sonde_offer '' -W "$(_sonde_apps; _sonde_requests all)" ;;
    changes | log) _sonde_offer '' -W "$(_sonde_requests all)" ;;
    wait | follow) _sonde_offer '' -W "$(_sonde_requests open)" ;;
    cancel) _sonde_offer '' -W "$(_sonde_apps; _sonde_requests open)" ;;
    throttle)
        [[ -n $name ]] || _sonde_offer '' -W "$(_sonde_apps; _sonde_requests open)"
        ;;
    profile)
        case $name in
        '') _sonde_offer '' -W 'load show' ;;
        load) _sonde_offer '' -f ;;
        esac
        ;;
    records) _sonde_offer '' -W "$(_sonde_kinds)" ;;
    esac
}

_cloudagentctl()
{
    local cur
    local -a words=() config=()

    COMPREPLY=()
    _sonde_words
    if [[ ${words[1]} == show ]]; then
        ((${#words[@]} == 3)) && _sonde_offer '' -W type
        return
    fi
    _sonde_contract
    if ((${#words[@]} == 2)) && [[ $cur != *=* ]]; then _sonde_offer '' -W show; fi
}

complete -F _sonde sonde
complete -F _cloudagentctl cloudagentctl.sh
