#!/bin/sh
# A short R script (tools/valgrind.R) under valgrind, with the instruction sets that
# valgrind knows; it knows no AVX-512. Any error fails.
set -eu
cd "$(dirname "$0")/.."
. tools/result.sh
command -v valgrind >/dev/null || skip valgrind "there is no valgrind here"
work=build/valgrind
rm -rf $work
mkdir -p $work
passed=0 failed=0 errors=0 sets=

# Valgrind runs one thread at a time: a waiting thread must sleep.
export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=2 OPENBLAS_NUM_THREADS=1

for set in base avx2; do
    if [ $set = avx2 ] && ! grep -qw avx2 /proc/cpuinfo; then
        echo "valgrind: skipped: no AVX2 here"
        continue
    fi
    sets="$sets${sets:+, }$set"
    if COVERTREE_SIMD=$set R --vanilla --no-echo -d "valgrind --quiet --error-exitcode=99 --num-callers=20 \
        --log-file=$work/$set.log" -f tools/valgrind.R >$work/$set.out 2>&1 &&
        grep -q 'came to its end' $work/$set.out && [ ! -s $work/$set.log ]; then
        echo "valgrind: $set: no errors"
        passed=$((passed + 1))
    else
        echo "valgrind: $set: errors"
        tail -n 5 $work/$set.out
        head -n 60 $work/$set.log
        failed=$((failed + 1))
        errors=$((errors + 1))
    fi
done
result valgrind $((passed + failed)) $errors "$(verdict $errors)" \
    "runs of a script with every function (tools/valgrind.R) under $(valgrind --version): $sets"
totals $passed $failed
