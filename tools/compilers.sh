#!/bin/sh
# Builds the core with gcc and clang, with and without OpenMP, at -O0 to -O3. The results of
# each build must have the fingerprint of tests/core/fingerprint.txt at every dispatch level.
#
#   sh tools/compilers.sh ["FLAGS"...]     CC="gcc-13 clang-18" for other compilers,
#                                          LEVELS="-O0 -O3" for some of the levels
#   sh tools/compilers.sh "-O3 -march=native"
set -eu
cd "$(dirname "$0")/.."
. tools/result.sh
work=$PWD/build/compilers
rm -rf $work
export OMP_WAIT_POLICY=passive
passed=0 failed=0 skipped=0 compilers=

# Whether the compiler has OpenMP, header and library.
has_openmp() {
    echo 'int main(void) { return 0; }' |
        "$1" -fopenmp -include omp.h -x c -o /dev/null - >/dev/null 2>&1
}

# label FLAGS: the flags as part of a file name.
label() { echo "$1" | tr -cd 'A-Za-z0-9-'; }

# build COMPILER FLAGS VARIANT: the last line of its log has the totals.
build() {
    name=$1$(label "$2")
    make -s -C tests/core CC="$1" SAN= OPT="$2" OUT="$work/$name" VARIANTS="$3" \
        ONLY=fingerprint >"$work/$name-$3.log" 2>&1 || true
}

# report COMPILER FLAGS VARIANT: prints and counts whether the results of a build are the same.
report() {
    log=$work/$1$(label "$2")-$3.log
    if grep -qE '^core: [1-9][0-9]* passed, 0 failed$' "$log"; then
        echo "compilers: $1 $2, $3: the same"
        passed=$((passed + 1))
    else
        what="not the same"
        grep -q '^core: ' "$log" || what="did not compile"
        echo "compilers: $1 $2, $3: $what"
        head -n 20 "$log"
        failed=$((failed + 1))
    fi
}

name=compilers
if [ $# = 0 ]; then
    set -- ${LEVELS:--O0 -O1 -O2 -O3}
else
    name=compilers-other
fi
mkdir -p $work
for cc in ${CC:-gcc clang}; do
    if ! command -v "$cc" >/dev/null; then
        echo "compilers: skipped: no $cc here"
        skipped=$((skipped + 2 * $#))
        continue
    fi
    variants="openmp plain"
    if ! has_openmp "$cc"; then
        echo "compilers: skipped: $cc has no OpenMP here"
        variants=plain
        skipped=$((skipped + $#))
    fi
    compilers="$compilers${compilers:+, }$($cc --version | head -n 1)"
    for flags; do
        for variant in $variants; do build "$cc" "$flags" $variant & done
        wait
        for variant in $variants; do report "$cc" "$flags" $variant; done
    done
done
[ -n "$compilers" ] || skip $name "neither gcc nor clang is here"
result $name $((passed + failed)) $failed "$(verdict $failed)" \
    "builds with the recorded fingerprint: $compilers; with and without OpenMP; $*"
totals $passed $failed $skipped
