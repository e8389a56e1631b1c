#!/bin/sh
# SPDX-License-Identifier: MIT
#
# filters.sh - what do filters cost or gain, beside the same queries without one?
#
#   benchmarks/filters.sh INDEX QUERIES FILTER...
#   benchmarks/filters.sh news.idx queries.jsonl date:2018 date:2018-03 'source:"ap"'
#
# QUERIES are JSON Lines as for `bench search`.  Each filter is put behind every query (of class
# union: behind its parentheses); rounds alternate, and a mean is the least of three.  Prints one line
# for each command and class: mean microseconds without a filter, then with each.
set -eu
[ $# -ge 3 ] || { sed -n '6,7p' "$0"; exit 2; }
pressmark=${PRESSMARK:-$(dirname "$0")/../build/release/pressmark}
commands=${COMMANDS:-TOP_10,TOP_100,COUNT,TOP_100_COUNT} index=$1 queries=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cp "$queries" "$work/0"
n=0
for filter in "$@"; do
    n=$((n + 1))
    jq -c --arg filter "$filter" '.query = (if (.tags[0] // "") == "union" then "(\(.query))"
        else .query end) + " " + $filter' "$queries" >"$work/$n"
done
for round in 1 2 3; do
    for i in $(seq 0 $n); do
        "$pressmark" bench search -i "$index" --queries "$work/$i" --commands "$commands" --repeat 5 \
            --json | jq -r --arg i "$i" '.commands[] | [.command, .class, $i, .mean_us] | @tsv'
    done
done | awk -F'\t' -v n="$n" '
    { key = $1 "\t" $2; at = key "\t" $3
      if (!(key in seen)) { seen[key] = 1; keys[++rows] = key }
      if (!(at in least) || $4 < least[at]) least[at] = $4 }
    END { for (r = 1; r <= rows; r++) {
              printf "%s", keys[r]
              for (i = 0; i <= n; i++) printf "\t%.1f", least[keys[r] "\t" i]
              print "" } }'
