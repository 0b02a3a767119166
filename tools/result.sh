# Functions for scripts that run checks: write the results that tools/trust.R reads.

# result NAME CASES FOUND STATUS "WHAT RAN": writes build/trust/NAME.dcf. STATUS:
# passed, failed or skipped; FOUND: number of failed cases.
result() {
    mkdir -p build/trust
    cat >"build/trust/$1.dcf" <<DCF
Check: $1
Ran: $5
Cases: $2
Found: $3
Status: $4
Date: $(date -u +%Y-%m-%d)
Machine: $(machine)
DCF
}

machine() {
    system=$(. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME") || system=$(uname -s)
    echo "$(uname -m), $(getconf _NPROCESSORS_ONLN) cores, $system"
}

# verdict FAILED: prints passed or failed.
verdict() {
    if [ "$1" -eq 0 ]; then echo passed; else echo failed; fi
}

# skip NAME "WHY": records a check that the machine cannot run, and ends the script.
skip() {
    echo "$1: skipped: $2"
    result "$1" 0 0 skipped "skipped: $2"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}

# totals PASSED FAILED [SKIPPED]: prints the last line and ends the script.
totals() {
    if [ "${3:-0}" -gt 0 ]; then more=", $3 skipped"; else more=; fi
    echo "$1 passed, $2 failed$more"
    [ "$2" -eq 0 ]
    exit
}
