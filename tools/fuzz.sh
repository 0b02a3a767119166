#!/bin/sh
# Fuzzes the core and the reading of saved trees: sh tools/fuzz.sh [SECONDS], for
# all targets together; 60 if not given. The targets of the core (tests/core/fuzz/fuzz_*.c) start
# from the inputs in tests/core/corpus/. They run under libFuzzer if clang has it, otherwise under
# their own driver. tools/fuzz_files.R damages saved trees.
#
# build/fuzz/crashes/ keeps the inputs that fail. After the defect is mended, such an input belongs
# in tests/core/corpus/crashes/TARGET/, which the C checks run again.
set -eu
cd "$(dirname "$0")/.."
. tools/result.sh
seconds=$((${1:-60} / 4))
work=$PWD/build/fuzz
rm -rf "$work"
passed=0 failed=0

# More threads than processors must not spin, and freed memory need not be kept long.
export OMP_WAIT_POLICY=passive KMP_BLOCKTIME=0
export ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=8 UBSAN_OPTIONS=print_stacktrace=1

has() { # COMPILER FLAGS: whether it links a fuzz target
    echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' |
        "$1" $2 -x c -shared -fPIC -o /dev/null - >/dev/null 2>&1
}

fuzzer=libFuzzer
cc=${CC:-clang}
if ! has "$cc" -fsanitize=fuzzer; then
    fuzzer="its own driver"
    cc=${CC:-cc}
    has "$cc" -fsanitize=address,undefined || skip fuzz "$cc has no sanitizers"
fi

# run TARGET: its log contains the numbers of executions and crashes.
run() {
    program=tests/core/build/$(basename "$cc")/fuzz/fuzz_$1
    crashes=$work/crashes/$1
    mkdir -p "$work/new/$1" "$crashes"
    if [ "$fuzzer" = libFuzzer ]; then
        $program -max_total_time=$seconds -timeout=20 -len_control=0 -max_len=400 -seed=1 \
            -artifact_prefix="$crashes/" -print_final_stats=1 "$work/new/$1" \
            "tests/core/corpus/$1" $(find tests/core/corpus/crashes -mindepth 1 -maxdepth 1 -name "$1")
    else
        $program -s $seconds -o "$crashes" $(find tests/core/corpus -path "*/$1/*" -type f)
    fi >"$work/$1.log" 2>&1
}

# count TARGET STATUS
count() {
    runs=$(sed -n -e 's/^stat::number_of_executed_units: *//p' \
        -e 's/^\([0-9]*\) executions, [0-9]* crashes$/\1/p' "$work/$1.log" | tail -n 1)
    found=$(find "$work/crashes/$1" -type f | wc -l)
    if [ "$2" != 0 ] || [ -z "$runs" ] || [ "$found" != 0 ]; then
        [ "$found" != 0 ] || found=1
        grep -e 'not so' -e ERROR -e 'runtime error' -e '^crash' -e SUMMARY "$work/$1.log" ||
            tail -n 20 "$work/$1.log"
        find "$work/crashes/$1" -type f
        failed=$((failed + 1))
    else
        passed=$((passed + 1))
    fi
    echo "fuzz: $1: ${runs:-0} executions, $found failed"
    result "fuzz-$1" "${runs:-0}" "$found" "$(verdict "$found")" \
        "runs of fuzz_$1.c in $seconds s by $fuzzer, under ASan and UBSan"
}

echo "fuzz: $(basename "$cc"), $fuzzer, $seconds seconds for each target"
make -s -C tests/core fuzz CC="$cc"
for target in points parameters arrays; do
    status=0
    run $target || status=$?
    count $target $status
done

status=0
Rscript tools/fuzz_files.R $seconds || status=$?
if [ $status = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
totals $passed $failed
