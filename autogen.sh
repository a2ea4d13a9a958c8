#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Find what is missing, install it where that is possible, make `configure` and configure
# build/.  Arguments go to configure; so do CC and its like in the environment.
#
#   SONDE_INSTALL_DEPS=no ./autogen.sh     installs nothing, only says what is missing
set -eu
cd "$(dirname "$0")"

# One row per need: what it is for, how to see that it is there, and the names of its package
# on Debian, Fedora, openSUSE, Alpine, Arch ("-": comes with another one).
needs='
build autoconf    tool:autoreconf   autoconf         autoconf            autoconf       autoconf      autoconf
build automake    tool:automake     automake         automake            automake       automake      automake
build libtool     tool:libtoolize   libtool          libtool             libtool        libtool       libtool
build pkg-config  tool:pkg-config   pkg-config       pkgconf-pkg-config  pkg-config     pkgconf       pkgconf
build make        tool:make         make             make                make           make          make
build C-compiler  compiler          gcc,libc6-dev    gcc,glibc-devel     gcc            gcc,musl-dev,linux-headers  gcc
build libuv       lib:libuv         libuv1-dev       libuv-devel         libuv-devel    libuv-dev     libuv
build SQLite      lib:sqlite3       libsqlite3-dev   sqlite-devel        sqlite3-devel  sqlite-dev    sqlite
build cJSON       lib:libcjson      libcjson-dev     cjson-devel         cJSON-devel    cjson-dev     cjson
build libsodium   lib:libsodium     libsodium-dev    libsodium-devel     libsodium-devel  libsodium-dev  libsodium
build inih        lib:inih          libinih-dev      inih-devel          inih-devel     inih-dev      libinih
tests Criterion   lib:criterion     libcriterion-dev libcriterion-devel  criterion-devel  criterion-dev  criterion
tests C++         cxx               g++              gcc-c++             gcc-c++        g++           -
'

say() { printf 'autogen.sh: %s\n' "$*"; }
die() { printf 'autogen.sh: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# One that makes programs, with the C library's headers: $CC, or what configure would find.
c_compiler()
{
    for cc in "${CC:-gcc}" "${CC:-cc}" "${CC:-clang}"; do
        # CC may hold flags, so it is split into words.
        if printf '#include <stdio.h>\nint main(void) { return 0; }\n' |
            $cc -x c -o /dev/null - >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

is_there()
{
    case $1 in
    tool:*) have "${1#tool:}" ;;
    lib:*) have pkg-config && pkg-config --exists "${1#lib:}" ;;
    compiler) c_compiler ;;
    cxx) have g++ || have clang++ || have c++ ;;
    esac
}

# Which column of the table, and the command that installs packages.
distribution()
{
    id=; like=
    if [ -r /etc/os-release ]; then
        id=$(. /etc/os-release && echo "${ID:-}")
        like=$(. /etc/os-release && echo "${ID_LIKE:-}")
    fi
    for d in $id $like; do
        case $d in
        debian | ubuntu) column=4 install='apt-get install --no-install-recommends'; return ;;
        fedora | rhel | centos) column=5 install='dnf install'; return ;;
        suse | opensuse* | sles) column=6 install='zypper install'; return ;;
        alpine) column=7 install='apk add'; return ;;
        arch) column=8 install='pacman -S --needed'; return ;;
        esac
    done
    column=4 install=
}

# Sets missing_build, missing_tests (what) and packages (their names here).
look()
{
    missing_build= missing_tests= packages=
    while read -r use name probe names; do
        [ -n "$use" ] || continue
        if is_there "$probe"; then continue; fi
        case $use in
        build) missing_build="$missing_build $name" ;;
        tests) missing_tests="$missing_tests $name" ;;
        esac
        # shellcheck disable=SC2086  # a row is a list of words
        set -- $names
        shift $((column - 4))
        [ "$1" = - ] || packages="$packages $(echo "$1" | tr , ' ')"
    done <<END
$needs
END
    packages=${packages# }
}

# Run as root; fails when that is not possible without a question that nobody can answer.
as_root()
{
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif [ -t 0 ]; then sudo "$@"
    else sudo -n "$@"
    fi
}

apt_get()
{
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@" </dev/null
}

install_packages()
{
    say "installing: $packages"
    apt_get update || say "apt-get update failed; trying with the lists that are there"
    # shellcheck disable=SC2086
    apt_get install --no-install-recommends $packages ||
        die "apt-get could not install them; please run: $install $packages"
}

may_install()
{
    [ "${SONDE_INSTALL_DEPS:-yes}" != no ] && [ "$column" -eq 4 ] && [ -n "$install" ] &&
        have apt-get || return 1
    [ "$(id -u)" -eq 0 ] && return 0
    have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }
}

distribution
look
if [ -n "$packages" ] && may_install; then
    install_packages
    look
fi
if [ -n "$missing_build$missing_tests" ]; then
    [ -z "$missing_build" ] || say "missing:$missing_build"
    [ -z "$missing_tests" ] || say "missing (for \`make check\` only):$missing_tests"
    if [ -n "$install" ]; then say "to install: $install $packages"
    else say "packages of these names or alike are needed: $packages"
    fi
fi
[ -z "$missing_build" ] || die "cannot go on without them${CC:+ (CC is $CC)}"

mkdir -p m4 build
autoreconf -fi
cd build
../configure "$@"
say "build/ is configured.  Next: make -C build, make -C build check, make -C build demo"
