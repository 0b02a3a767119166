#!/bin/sh
# Runs the R tests with the package compiled under the address and undefined behavior
# sanitizers: sh tools/sanitize.sh [TEST...], where TEST is the name of a test file without test-
# and .R. The default is all tests except fingerprint, which takes a quarter of the time, and
# whose cases the C checks (make core) run under the same sanitizers. The installed R is used,
# with the libraries of the sanitizers loaded first. Each report of a sanitizer is a failure, also
# in processes that tests start.
#
# Not detected: accesses beyond small vectors, which share pages of R's memory, and leaks,
# because R does not free all memory when it ends.
set -eu
cd "$(dirname "$0")/.."
. tools/result.sh
work=build/sanitize
rm -rf $work
mkdir -p $work/library $work/reports

if [ $# = 0 ]; then
    set -- $(cd tests/testthat && ls test-*.R | sed -e 's/^test-//' -e 's/\.R$//' -e '/^fingerprint$/d')
fi

cc=$(R CMD config CC)
san="-fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all"
runtimes=
for name in libasan.so libubsan.so libstdc++.so.6; do
    path=$($cc -print-file-name=$name)
    [ -f "$path" ] || skip sanitize "$cc comes without $name"
    runtimes="$runtimes${runtimes:+:}$path"
done

# The sanitizers need libstdc++ when they start.
cat >$work/Makevars <<MAKEVARS
CFLAGS = -g -O2 -fno-omit-frame-pointer $san
LDFLAGS = -fsanitize=address,undefined
MAKEVARS
mkdir -p build
(rm -f build/covertree_*.tar.gz && cd build && R CMD build --no-build-vignettes .. &&
    R_MAKEVARS_USER="$PWD/sanitize/Makevars" R CMD INSTALL --no-docs --no-test-load \
        --library=sanitize/library covertree_*.tar.gz) >$work/install.log 2>&1 ||
    { cat $work/install.log; exit 1; }
nm -D $work/library/covertree/libs/covertree.so | grep -q __asan_report ||
    { echo "sanitize: the package was compiled without the sanitizers"; exit 1; }

export R_LIBS="$PWD/$work/library${R_LIBS:+:$R_LIBS}" OMP_WAIT_POLICY=passive
export ASAN_OPTIONS="detect_leaks=0:detect_stack_use_after_return=1:log_path=$PWD/$work/reports/asan"
export UBSAN_OPTIONS="print_stacktrace=1:log_path=$PWD/$work/reports/ubsan"
found=$work/results.rds
LD_PRELOAD=$runtimes timeout 1800 Rscript tools/r_tests.R $found "$@" || true

reports=$(find $work/reports -type f | wc -l)
[ "$reports" = 0 ] || head -n 40 $work/reports/*
if [ ! -f $found ]; then
    echo "sanitize: the tests broke off"
    result sanitize 0 $((reports + 1)) failed "the R tests broke off"
    totals 0 $((reports + 1))
fi
set -- $(Rscript -e 'each <- readRDS(commandArgs(TRUE))
    cat(sum(each$passed), sum(each$failed) + sum(each$error), sum(each$skipped))' $found)
failed=$(($2 + reports))
result sanitize "$1" $failed "$(verdict $failed)" \
    "expectations of the R tests, the package under $(basename "$cc") ASan and UBSan"
totals "$1" $failed "$3"
