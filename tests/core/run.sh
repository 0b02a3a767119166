#!/bin/sh
# Runs the given programs, one per core at a time, and prints the sum of the totals that each
# prints last. A program without totals, or with a status that contradicts them, counts as one more
# failure. RUN: an emulator for the programs. JOBS: the number of programs at a time.
passed=0 failed=0

# More threads than processors must not spin.
export OMP_WAIT_POLICY=passive
export ASAN_OPTIONS=detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1

outputs=$(mktemp -d) || exit 1
trap 'rm -rf "$outputs"' EXIT

# One program: its output and its status go to files, named after the path of the program.
cat >"$outputs/run_one" <<'SCRIPT'
name=$1/$(echo "$2" | tr / :)
case $2 in
    *.sh) "$2" >"$name.out" 2>&1 ;;
    *) ${RUN:-} "$2" >"$name.out" 2>&1 ;;
esac
echo $? >"$name.status"
SCRIPT
printf '%s\n' "$@" | xargs -P "${JOBS:-$(nproc)}" -n 1 sh "$outputs/run_one" "$outputs"

for program in "$@"; do
    name=$outputs/$(echo "$program" | tr / :)
    status=$(cat "$name.status" || echo "none")
    totals=$(grep -E '^[a-z0-9_]+: [0-9]+ passed, [0-9]+ failed$' "$name.out")
    p=$(printf '%s\n' "$totals" | awk '{ sum += $2 } END { print sum + 0 }')
    f=$(printf '%s\n' "$totals" | awk '{ sum += $4 } END { print sum + 0 }')
    if [ -z "$totals" ] || { [ "$f" -eq 0 ] && [ "$status" != 0 ]; }; then
        f=$((f + 1))
    fi
    printf '%s ' "$program"
    if [ "$f" -gt 0 ]; then
        printf '\n%s\nstatus %s: ' "$(cat "$name.out")" "$status"
    fi
    printf '%s passed, %s failed\n' "$p" "$f"
    passed=$((passed + p)) failed=$((failed + f))
done
echo "core: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
