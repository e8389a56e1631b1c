#!/bin/sh
# SPDX-License-Identifier: MIT
#
# startup.sh - what does one search in a new process cost, beside a C program that does nothing?
#
#   benchmarks/startup.sh [DOCUMENTS] [ROUNDS]          default 200000, 7
#
# Builds an index of synthetic articles once (build/startup/), reads it into the page cache, and
# then alternates: the empty program, `pressmark --version`, and `pressmark search --format ids`
# with one, three and no known words, and three in an index of one segment, 150 runs each a round.  A program's time is the least of
# its rounds' medians, so that what else the machine does in a round is not counted.  With
# hyperfine the clock runs from spawn to exit; without it a shell loop does, whose own fork
# is in every figure and flatters the ratio.
set -eu
cd "$(dirname "$0")/.."
documents=${1:-200000} rounds=${2:-7} runs=150
pressmark=${PRESSMARK:-build/release/pressmark} generate=${GENERATE:-build/release/benchmarks/generate}
work=build/startup
[ -x "$pressmark" ] && [ -x "$generate" ] || make -s all benches
mkdir -p "$work"
index=$work/$documents.idx
if [ ! -f "$index/manifest" ]; then
    rm -rf "$index"
    "$generate" --docs "$documents" | "$pressmark" index -q -i "$index" -
fi
one=$work/$documents-one.idx
if [ ! -f "$one/manifest" ]; then
    rm -rf "$one"
    cp -r "$index" "$one"
    "$pressmark" optimize -q -i "$one"
fi
cat "$index"/*.seg "$one"/*.seg >"/dev/null"
echo 'int main(void) { return 0; }' >"$work/empty.c"
${CC:-cc} -O2 -o "$work/empty" "$work/empty.c"
words=$("$generate" --docs "$documents" --queries 64 |
    sed -n 's/^{"query":"\([a-z]* [a-z]* [a-z]*\)",.*/\1/p' | head -n 1)

# time_one COMMAND: median wall time of one run in microseconds.
if command -v hyperfine >/dev/null; then
    time_one() {
        hyperfine -N -i --style none --warmup 10 --runs $runs --export-csv "$work/csv" "$1" 2>/dev/null
        awk -F, 'NR == 2 { printf "%.0f\n", $4 * 1e6 }' "$work/csv"
    }
else
    time_one() {
        start=$(date +%s%N) i=0
        while [ $i -lt $runs ]; do
            $1 >/dev/null || :
            i=$((i + 1))
        done
        echo $((($(date +%s%N) - start) / runs / 1000))
    }
fi

commands="$work/empty
$pressmark --version
$pressmark search -i $index --format ids ${words%% *}
$pressmark search -i $index --format ids $words
$pressmark search -i $index --format ids qqqqxyzzy
$pressmark search -i $one --format ids $words"
: >"$work/times"
round=0
while [ "$round" -lt "$rounds" ]; do
    echo "$commands" | while IFS= read -r command; do
        printf '%s\t%s\n' "$(time_one "$command")" "$command" >>"$work/times"
    done
    round=$((round + 1))
done
echo "$documents documents, $rounds rounds of $runs runs, page cache warm: least median, microseconds"
awk -F '\t' '
    !($2 in best) { order[n++] = $2 }
    !($2 in best) || $1 < best[$2] { best[$2] = $1 }
    END {
        for (i = 0; i < n; i++)
            printf "%7d  %5.2f x  %s\n", best[order[i]], best[order[i]] / best[order[0]], order[i]
    }' "$work/times"
