#!/bin/sh
# SPDX-License-Identifier: MIT
#
# engines.sh - pressmark's two engines on the same articles, as a user meets them: stored text,
# ids and all.  (make bench-peers compares Xapian by itself, on equal terms.)
#
#   benchmarks/engines.sh [DOCUMENTS] [ROUNDS]     default 20000, 3
#
# Generates articles and queries, indexes them by each engine and by Xapian's in four shards, then
# asks the same queries in turns: native, Xapian, its shards as one, and the same behind four servers
# on loopback.  Means of each query's fastest run, in microseconds; sizes; rates.
set -eu
cd "$(dirname "$0")/.."
documents=${1:-20000} rounds=${2:-3}
pressmark=build/release/pressmark work=build/engines
make -s all benches
rm -rf $work; mkdir -p $work
build/release/benchmarks/generate --docs "$documents" >$work/docs.jsonl
build/release/benchmarks/generate --docs "$documents" --queries 200 >$work/queries.jsonl
# index NAME OPTIONS...: one line of the table of indexing
index() {
    name=$1; shift
    $pressmark index -q -i $work/"$name" --threads 1 --json "$@" $work/docs.jsonl >$work/"$name".json
    awk -v name="$name" -v RS=, -F: '/"text_bytes"/ { t = $2 } /"seconds"/ { s = $2 } /"index_bytes"/ { b = $2 }
        END { printf "%-10s %8.2f MB/s of text %10.1f MB\n", name, t / 1e6 / s, b / 1e6 }' $work/"$name".json
}
index native
index xapian --engine xapian
index shards --engine xapian --shards 4
$pressmark shard start --port "${PORT:-27760}" $work/shards 2>/dev/null
trap '$pressmark shard stop $work/shards' EXIT
trap 'exit 130' INT TERM
round=0
while [ $round -lt "$rounds" ]; do
    for name in native xapian shards shards/servers; do
        $pressmark bench search -i $work/$name --queries $work/queries.jsonl --repeat 3 --warmup 0.2 \
            --commands TOP_10,COUNT | awk -v name=$name 'NR > 1 && NF { print name, $1, $2, $4 }' >>$work/times
    done
    round=$((round + 1))
done
awk '{ key = $2 " " $3; if (!(key in seen)) { seen[key] = 1; order[++n] = key }
       if (!((key, $1) in best) || $4 < best[key, $1]) best[key, $1] = $4 }
     END { printf "\n%-22s %10s %10s %10s %10s\n", "mean us", "native", "xapian", "4 shards", "4 servers"
           for (i = 1; i <= n; i++) printf "%-22s %10.1f %10.1f %10.1f %10.1f\n", order[i], best[order[i], "native"],
               best[order[i], "xapian"], best[order[i], "shards"], best[order[i], "shards/servers"] }' $work/times
