#!/bin/sh
# The core must not compile with flags under which the compiler changes results, and
# must say why; without them it must. Prints totals like the C checks.
passed=0 failed=0

# expect STATUS FLAG: whether a file of the core compiles with the flag as it should.
expect() {
    output=$(${CC:-cc} -std=c11 -I../../src -fsyntax-only "$2" ../../src/core/search/knn.c 2>&1)
    status=$?
    if [ "$1" = 0 ]; then
        [ $status = 0 ]
    else
        [ $status != 0 ] && echo "$output" | grep -q 'covertree needs exact floating-point'
    fi
    if [ $? = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "$2: $output"; fi
}

for flag in -O0 -O3; do expect 0 $flag; done
for flag in -ffast-math -Ofast -ffinite-math-only; do expect 1 $flag; done
echo "flags: $passed passed, $failed failed"
[ $failed = 0 ]
