#!/bin/sh
# Runs each program given, sums the tallies they print last, and says the sum.
# A program that ends without a tally, or with another status than its tally
# tells, has failed once more. RUN: an emulator to run them in.
passed=0 failed=0

# More threads than processors must not spin.
export OMP_WAIT_POLICY=passive
export ASAN_OPTIONS=detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1

for program in "$@"; do
    printf '%s ' "$program"
    case $program in
        *.sh) output=$("$program" 2>&1) ;;
        *) output=$(${RUN:-} "$program" 2>&1) ;;
    esac
    status=$?
    tally=$(printf '%s\n' "$output" | grep -E '^[a-z0-9_]+: [0-9]+ passed, [0-9]+ failed$')
    p=$(printf '%s\n' "$tally" | awk '{ sum += $2 } END { print sum + 0 }')
    f=$(printf '%s\n' "$tally" | awk '{ sum += $4 } END { print sum + 0 }')
    if [ -z "$tally" ] || { [ "$f" -eq 0 ] && [ "$status" -ne 0 ]; }; then
        f=$((f + 1))
    fi
    if [ "$f" -gt 0 ]; then
        printf '\n%s\nstatus %s: ' "$output" "$status"
    fi
    printf '%s passed, %s failed\n' "$p" "$f"
    passed=$((passed + p)) failed=$((failed + f))
done
echo "core: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
