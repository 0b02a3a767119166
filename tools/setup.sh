#!/bin/sh
# Installs what a goal needs and the machine lacks: sh tools/setup.sh GOAL, where GOAL is
# demo, test, check, site, sanitize, fuzz, valgrind, compilers or cross; `cross` may be
# followed by a processor.
#
# Installs by apt-get if R is that of the system and apt-get is permitted, otherwise by
# install.packages() into the first writable library, the library of the user, or .library/.
set -eu
cd "$(dirname "$0")/.."
export R_LIBS="$PWD/.library${R_LIBS:+:$R_LIBS}"
log=build/setup.log
mkdir -p build

goal=${1:-}
needs= tools= peers= extras=
# Without mirai and nanoparquet, which take minutes to compile, their tests are skipped.
tested="RANN FNN dbscan GpGp fields spdep future cachem lobstr bit64 rlang Rmpfr cluster geosphere gower"
tested="$tested ggplot2 proxy s2 sf stringdist igraph uwot tibble dplyr data.table BiocNeighbors"
case $goal in
    demo) ;;
    test) needs=testthat peers=$tested ;;
    check) needs="testthat knitr rmarkdown" tools="pandoc qpdf" peers="roxygen2 pkgbuild $tested" ;;
    # The pages also run the examples of other packages, if these are installed.
    site) needs="pkgdown knitr rmarkdown" tools=pandoc peers=$tested ;;
    sanitize) needs=testthat peers=$tested ;;
    fuzz) extras=clang ;;
    valgrind) extras=valgrind ;;
    compilers) extras="clang libomp" ;;
    cross) ;;
    *) echo "usage: sh tools/setup.sh demo|test|check|site|sanitize|fuzz|valgrind|compilers|cross" >&2; exit 2 ;;
esac

say() { echo "setup: $*"; }
fail() { echo "setup: $*" >&2; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

root=
if [ "$(id -u)" != 0 ]; then root="sudo -n"; fi
can_apt() { has apt-get && { [ -z "$root" ] || { has sudo && $root true 2>/dev/null; }; }; }

as_root() { $root env DEBIAN_FRONTEND=noninteractive "$@" >>$log 2>&1 </dev/null; }

# debian PACKAGE...: the lists of a fresh machine may be empty or old; then a second try.
debian() {
    say "apt-get install $*"
    as_root apt-get install -y --no-install-recommends "$@" && return
    as_root apt-get update && as_root apt-get install -y --no-install-recommends "$@"
}

# missing PACKAGE...: those that cannot be loaded, or are too old.
missing() {
    Rscript -e '
        least <- c(testthat = "3.0.0")
        for (p in commandArgs(TRUE))
            if (!requireNamespace(p, quietly = TRUE) ||
                p %in% names(least) && packageVersion(p) < least[[p]])
                cat(p, "")' "$@" 2>/dev/null
}

# cran PACKAGE...: USE_BUNDLED_LIBUV spares fs, which testthat needs, a system library.
cran() {
    say "install.packages $*"
    USE_BUNDLED_LIBUV=1 Rscript -e '
        own <- .libPaths()[file.access(.libPaths(), 2) == 0]
        for (lib in c(Sys.getenv("R_LIBS_USER"), ".library"))
            if (!length(own) && nzchar(lib) &&
                (dir.exists(lib) || dir.create(lib, showWarnings = FALSE, recursive = TRUE)))
                own <- lib
        if (identical(getOption("repos")[["CRAN"]], "@CRAN@"))
            chooseCRANmirror(ind = 1)
        .libPaths(c(own[1], .libPaths()))
        install.packages(commandArgs(TRUE), lib = own[1])' "$@" >>$log 2>&1 </dev/null
}

debian_names() {
    for p; do
        case $p in
            Bioc*) echo "r-bioc-$p" ;;
            *) echo "r-cran-$p" ;;
        esac
    done | tr '[:upper:]' '[:lower:]'
}

# provide PACKAGE...: by apt-get, then what is still missing from CRAN.
provide() {
    if [ "$(R RHOME)" = /usr/lib/R ] && can_apt; then debian $(debian_names "$@") || true; fi
    left=$(missing "$@")
    if [ -n "$left" ]; then cran $left || true; fi
}

# Compilers for other processors are needed by the goal cross only.
if [ "$goal" = cross ]; then
    case ${2:-aarch64} in
        aarch64) compiler=aarch64-linux-gnu library=arm64 ;;
        armhf) compiler=arm-linux-gnueabihf library=armhf ;;
        i686*) compiler=i686-linux-gnu library=i386 ;;
        s390x) compiler=s390x-linux-gnu library=s390x ;;
        *) fail "no compiler is known for $2" ;;
    esac
    if ! has "$compiler-gcc" || ! has qemu-aarch64; then
        can_apt && debian "gcc-$compiler" "libc6-dev-$library-cross" qemu-user ||
            say "a compiler for ${2:-aarch64} and qemu-user cannot be had"
    fi
    exit
fi

if ! has R || ! has cc || ! has make; then
    can_apt || fail "R, a C compiler and make are needed (on Debian: r-base-dev)"
    debian r-base-dev || fail "apt-get could not install r-base-dev, see $log"
fi

for tool in $tools; do
    has "$tool" || { can_apt && debian "$tool"; } || fail "$tool is needed for $goal"
done

# has_extra EXTRA: clang means one with its fuzzer and sanitizers.
has_extra() {
    case $1 in
        clang) links -fsanitize=fuzzer,address ;;
        libomp) links -fopenmp -include omp.h -shared -fPIC ;;
        *) has "$1" ;;
    esac
}

links() {
    echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' |
        clang "$@" -x c -o /dev/null - >/dev/null 2>&1
}

# extra_packages EXTRA: the Debian packages that it is in. Which libclang-rt goes with
# clang depends on the release.
extra_packages() {
    case $1 in
        clang)
            version=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p')
            echo "clang${version:+ libclang-rt-$version-dev}" ;;
        libomp) echo libomp-dev ;;
        *) echo "$1" ;;
    esac
}

# Optional tools of a goal. Without them, the goal prints what it skips.
for extra in $extras; do
    has_extra "$extra" && continue
    if can_apt; then
        as_root apt-get update || true
        debian $(extra_packages "$extra") || true
    fi
    has_extra "$extra" || say "$extra cannot be had; what needs it is skipped"
done

lacks=$(missing $needs)
if [ -n "$lacks" ]; then
    provide $lacks
    lacks=$(missing $needs)
    [ -z "$lacks" ] || fail "needed for $goal and not to be had: $lacks(see $log)"
fi

for peer in $(missing $peers); do
    provide "$peer"
    [ -z "$(missing "$peer")" ] || say "$peer cannot be had; what needs it is skipped"
done
say "ready for $goal"
