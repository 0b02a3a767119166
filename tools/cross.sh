#!/bin/sh
# Builds the core and its checks for other processors, and runs them:
#
#   sh tools/cross.sh [ARCH...]    aarch64 (if none is named), armhf, i686, i686-sse2, s390x
#
# Programs run under the user emulation of qemu, or directly if the machine can run them. The
# emulator takes about 50 times as long as a processor. Unless CHECKS=all, the script therefore
# skips the checks that compare searches with an oracle, and compares their fingerprint instead,
# which is the same on all processors. Sanitizers and threads are not used: the emulator supports
# no sanitizer, and runs one thread at a time. OPT: optimization flags, -O2 if not set. Writes
# build/trust/cross-ARCH.dcf. The last line counts the checks; without the compilers or the
# emulator it counts one skipped check.
set -eu
cd "$(dirname "$0")/.."
. tools/result.sh
root=$PWD
opt=${OPT:--O2}
passed=0 failed=0 skipped=0

# i686 has no flags, like R on Debian: the x87 unit would evaluate doubles. i686-sse2 has the
# flags that the manual of R advises.
describe() {
    flags=
    checks=${CHECKS:-quick}
    case $1 in
        aarch64) prefix=aarch64-linux-gnu qemu=qemu-aarch64 ;;
        armhf) prefix=arm-linux-gnueabihf qemu=qemu-arm ;;
        i686) prefix=i686-linux-gnu qemu=qemu-i386 ;;
        i686-sse2) prefix=i686-linux-gnu qemu=qemu-i386 flags="-msse2 -mfpmath=sse" ;;
        s390x) prefix=s390x-linux-gnu qemu=qemu-s390x ;;
        *) echo "cross: ARCH must be aarch64, armhf, i686, i686-sse2 or s390x, not $1" >&2; exit 2 ;;
    esac
}

# The checks that take less than half a minute each under an emulator, and the fingerprint.
slow="hard_cases interrupt knn maximin predecessor radius exact_search block_search tiles \
    approx_search cholesky factors features host_covariance metric_query metrics budget epsilon \
    max_distance pair_scan parts shard_boxes"
names() {
    for file in tests/core/test_*.c tests/core/*/test_*.c; do
        name=$(basename "$file" .c)
        name=${name#test_}
        case "$checks $slow " in
            quick*" $name "*) ;;
            *) printf '%s ' "$name" ;;
        esac
    done
}

# Whether the glue compiles: R's headers are the same for all 64-bit processors.
glue() {
    for file in src/init.c src/glue/*.c; do
        $prefix-gcc $flags -std=gnu11 -Wall -Werror -Wno-unknown-pragmas -fsyntax-only \
            -Isrc $(R CMD config --cppflags) "$file" || return
    done
}

check_one() {
    arch=$1
    describe "$arch"
    sh tools/setup.sh cross "$arch"
    if ! command -v "$prefix-gcc" >/dev/null || ! command -v "$qemu" >/dev/null; then
        echo "cross: $arch skipped: no $prefix-gcc or no $qemu"
        skipped=$((skipped + 1))
        result "cross-$arch" 0 0 skipped "skipped: no compiler or no emulator"
        return
    fi
    work=build/cross-$arch
    rm -rf "$work"
    mkdir -p "$work"
    echo 'int main(void) { return 0; }' | $prefix-gcc -static $flags -x c -o "$work/none" -
    if "$work/none" 2>/dev/null; then qemu= checks=${CHECKS:-all}; fi
    status=0
    # Large offsets are needed to read directories, because the emulator passes offsets on unchanged.
    RUN=$qemu make -s -j2 -C tests/core CC="$prefix-gcc" OUT="$root/$work" SAN= OPT="$opt" \
        CFLAGS="-static -D_FILE_OFFSET_BITS=64 $flags" VARIANTS=plain ONLY="$(names)" >"$work/log" 2>&1 || status=$?
    cat "$work/log"
    sum=$(sed -n 's/^core: \([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$work/log")
    p=${sum% *} f=${sum#* }
    if [ -z "$sum" ]; then p=0 f=0; fi
    if [ "$status" != 0 ] && [ "$f" = 0 ]; then f=1; fi
    case $arch in
        aarch64 | s390x) if glue; then p=$((p + 1)); else f=$((f + 1)); fi ;;
    esac
    passed=$((passed + p)) failed=$((failed + f))
    result "cross-$arch" $((p + f)) "$f" "$(verdict "$f")" \
        "$prefix-gcc $($prefix-gcc -dumpversion) $opt${flags:+ $flags}, ${qemu:-on this machine}: $(names | sed "s/ $//")"
}

for arch in "${@:-aarch64}"; do check_one "$arch"; done
totals $passed $failed $skipped
