#!/bin/sh
# Runs the given programs, and prints the sum of the totals that each prints last. A program
# without totals, or with a status that contradicts them, counts as one more failure. RUN: an
# emulator for the programs.
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
    totals=$(printf '%s\n' "$output" | grep -E '^[a-z0-9_]+: [0-9]+ passed, [0-9]+ failed$')
    p=$(printf '%s\n' "$totals" | awk '{ sum += $2 } END { print sum + 0 }')
    f=$(printf '%s\n' "$totals" | awk '{ sum += $4 } END { print sum + 0 }')
    if [ -z "$totals" ] || { [ "$f" -eq 0 ] && [ "$status" -ne 0 ]; }; then
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
