#!/bin/sh
# Checks the rules of CONTRIBUTING.md that a compiler does not check. Prints every breach under
# its rule; the exit status is 1 if there is one. Needs a C compiler. The format is checked if
# clang-format 14 is installed.
set -u
cd "$(dirname "$0")/.."

# rule MESSAGE: prints the breaches that it reads, under their rule.
rule() {
    breaches=$(cat)
    [ -z "$breaches" ] || printf '%s:\n%s\n' "$1" "$breaches"
}

# search PATTERN FILE...: file:line:text of the matches in text files that exist.
search() {
    pattern=$1
    shift
    [ $# = 0 ] || grep -nEIHs -e "$pattern" "$@"
}

sources=$(find src -name '*.[ch]' | sort)
core=$(find src/core -name '*.[ch]' | sort)
glue=$(find src/glue -name '*.[ch]' ! -name threads.c | sort)
text=$(find R src tests tools data-raw .ci vignettes inst -type f ! -path '*/_snaps/*' \
    ! -path 'tests/core/corpus/*/*' ! -name '*.o' ! -name '*.so' 2>/dev/null)
tab=$(printf '\t')

# The folders of the core. A folder may include itself and the folders before it.
floors="util file metric simd residual order topk tree metric_space search parts residual_exact residual_approx"

folders() {
    for file in $core; do
        folder=$(basename "$(dirname "$file")")
        [ "$folder" = core ] && continue
        allowed="host"
        for floor in $floors; do
            allowed="$allowed|$floor/[a-z0-9_]+"
            [ "$floor" = "$folder" ] && break
        done
        grep -nHE '#include "' "$file" | grep -vE "#include \"core/($allowed)\.h\"$"
    done | rule "a folder of the core includes host.h, itself and the folders below it"
    # A unit is a header with its C file; tsort names the units of a loop.
    for file in $core; do
        unit=${file#src/}
        sed -n 's/^#include "\(core\/.*\)\.h"$/\1/p' "$file" | sed "s#^#${unit%.*} #"
    done | tsort 2>&1 >/dev/null | sed 's/^tsort: //' |
        rule "the units of the core include each other without a loop"
    grep -nHE '#include "core/' src/glue/*.[ch] | grep -v '"core/covertree.h"' |
        rule "the glue includes core/covertree.h and no other header of the core"
    for file in src/*.c src/core/*/*.c src/glue/*.c; do
        object=${file#src/}
        grep -qE "^    ${object%.c}\.o( |\$)" src/Makevars || echo "$file"
    done | rule "every C file is in OBJECTS of src/Makevars"
}

layers() {
    search '#include *["<](R|Rinternals|Rmath|Rdefines|Rversion|R_ext/.*|glue/.*)\.h' $core |
        rule "the core knows neither R nor the glue"
    search '^[[:space:]]*#[[:space:]]*pragma[[:space:]]+omp|(_Pragma|CT_PRAGMA) *\(' $glue |
        rule "OpenMP stays in the core and glue/threads.c, so that only the main thread meets R"
    search '\<(malloc|calloc|realloc|free|strdup|alloca) *\(' $sources |
        rule "memory comes from the host, so that nothing leaks on a long jump"
    search '\<omp_set_(num_threads|dynamic|nested|max_active_levels)\>' $sources |
        rule "each region is told its threads; no global setting"
    search '[-](march|mtune|ffast-math)' $sources src/Makevars* |
        rule "one build runs everywhere: no flags of one machine"
    search '\<(v|f|s|vf|vs)?printf *\(|\<(puts|putchar|exit|abort|s?rand) *\(|\<std(out|err)\>' \
        $sources | rule "no printing, exit, abort or rand in src/"
}

files() {
    for file in $sources; do
        [ "$(wc -l <"$file")" -lt 400 ] || echo "$file"
    done | rule "a file in src/ has less than 400 lines"
    for file in $sources; do
        head -n 1 "$file" | grep -qF "/* $(basename "$file"): " || echo "$file"
    done | rule "a file in src/ starts with /* its-name.c: what it is for"
    search '[[:blank:]]$' $text | rule "no trailing white space"
    search "$tab" $(echo "$text" | grep -v -e Makefile -e Makevars) | rule "no tabs"
    search '\<(TODO|FIXME|XXX)\>' $(echo "$text" | grep -v tools/lint.sh) |
        rule "what is left to do stands in an issue, not in a comment"
}

# British spellings, as an extended regular expression.
british='behaviour|neighbour|colour|favour|honour|labour|centre([sd]?\>|-)|centring|grey\>|metres?\>|fibre|artefact'
british="$british|licence|defence|offence|catalogue|judgement|whilst|amongst|learnt\>|spelt\>|modell(ed|ing)"
british="$british|labell(ed|ing)|cancell(ed|ing)|signall(ed|ing)|travell(ed|ing)|analys(e|ed|ing)\>"
british="$british|(normal|optim|quant|parametr|recogn|organ|summar|initial|minim|maxim|vector|general|serial|random"
british="$british|factor|discret|real|util|special|standard|synchron|character|categor|penal|memor|local|visual"
british="$british|final|parallel|emphas|regular)is(e|ed|er|es|ing|ations?|able)\>"

# Words of an earlier vocabulary, which CONTRIBUTING.md replaces, as parts of an identifier.
private='shel(f|ves)|sift|sieve|contest|arbiter|frugal|weary|judge|takers?|taken|trifles?|carve|straggler'
private="$private|rungs?|ladder|tally|met|placed|seats?|team(s|ed)?|hubs?|nobody|walk(s|ed|ers?)?|laws?"
private="$private|lead|ahead|idle|begun|tau"

# identifiers FILE...: file:identifier, without comments and strings, each once.
identifiers() {
    for file in "$@"; do
        case $file in
        *.R) comments='gsub(/"([^"\\]|\\.)*"/, " "); gsub(/#[^\n]*/, " ")' ;;
        *) comments='gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, " "); gsub(/"([^"\\\n]|\\.)*"/, " ")' ;;
        esac
        awk "BEGIN { RS = \"\\001\" } { $comments; print }" "$file" |
            grep -oE '[A-Za-z_.][A-Za-z0-9_.]*' | sort -u | sed "s#^#$file:#"
    done
}

# A quotation mark before a word permits British spelling: the word may be data or a title. The whole
# identifier `near` was a list of candidates or of neighbors in C.
words() {
    prose=$(find . -type f ! -path './.git/*' ! -path './.library/*' ! -path '*/build/*' ! -name '*.html' \
        ! -path './data/*' ! -path '*/results/*' ! -path './tests/core/corpus/*' ! -path './*.Rcheck/*' \
        ! -name lint.sh)
    grep -niEIHs -e "(^|[^\"A-Za-z])($british)" $prose | rule "US spelling"
    {
        identifiers $sources $(find tests/core -name '*.[ch]' ! -path '*/build/*') |
            grep -iE "[:_.](($private)([_.0-9]|\$)|near\$)" | grep -vE '_near$'
        identifiers R/*.R tests/testthat/*.R | grep -iE "[:_.]($private)([_.0-9]|\$)"
    } | rule "identifiers use the words of CONTRIBUTING.md"
}

# A path is written as code and contains a slash. Paths in build/ exist after a build only.
documents() {
    grep -oHE '`[A-Za-z0-9_.-]+/[A-Za-z0-9_./-]*`' CONTRIBUTING.md README.md | tr -d '`' |
        while IFS=: read -r document path; do
            case $path in build/*) continue ;; esac
            [ -e "$path" ] || echo "$document: $path"
        done | rule "every path that a document names exists"
    for folder in src/core/*/ src/glue/; do
        grep -qF "| \`$folder\` |" CONTRIBUTING.md || echo "$folder"
    done | rule "every folder of src/ is in the map of CONTRIBUTING.md"
}

compiles() {
    for file in src/core/*/*.c; do
        for flag in -fopenmp -fno-openmp; do
            ${CC:-cc} -std=c11 -Isrc -Wall -Wextra -Werror $flag -fsyntax-only "$file" 2>&1
        done
    done | rule "a core file compiles alone without a warning, with OpenMP and without"
    for file in src/core/*/*.c; do
        ${CC:-cc} -std=c11 -Isrc -E -dM "$file" | grep -q COVERTREE_UTIL_FLOAT_H || echo "$file"
    done | rule "a core file includes util/float.h, if only by way of another header"
}

format() {
    clang-format --dry-run -Werror $sources tests/core/*.c tests/core/*/*.[ch] 2>&1 |
        grep 'error:' | rule "C files are as clang-format wants them (make format)"
}

all=$(
    folders
    layers
    files
    documents
    words
    compiles
    if clang-format --version 2>/dev/null | grep -q 'version 14\.'; then format; fi
)
[ -z "$all" ] || { echo "$all"; exit 1; }
echo "lint: clean"
