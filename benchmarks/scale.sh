#!/bin/sh
# SPDX-License-Identifier: MIT
#
# scale.sh - does an article cost the same when there are millions of them already?
#
#   benchmarks/scale.sh [DOCUMENTS] [STEP]         default 5000000, 250000
#   INDEX_OPTIONS='--threads 1 --store=no'         more options of `pressmark index`
#
# Generates the collection once, as a file (build/scale/, some 560 bytes an article, up to five
# million of them), lets
# `pressmark index` read it through a pipe that notes the time of every STEP articles, checks the
# index, and writes build/scale/report.md and build/scale/rate.svg: articles a second against
# articles indexed, merges included, with the time of the commit apart.
set -eu
cd "$(dirname "$0")/.."
documents=${1:-5000000} step=${2:-250000}
pressmark=${PRESSMARK:-build/release/pressmark} bin=build/release/benchmarks
[ -x "$pressmark" ] && [ -x $bin/generate ] && [ -x $bin/pace ] || make -s all benches
work=build/scale
mkdir -p $work
corpus=$work/$documents.jsonl
kept_at_most=5000000 # more are generated as they are read, on a core of their own
if [ "$documents" -le $kept_at_most ] && [ ! -f "$corpus" ]; then
    $bin/generate --docs "$documents" >"$corpus.part"
    mv "$corpus.part" "$corpus"
fi
feed() {
    if [ -f "$corpus" ]; then cat "$corpus"; else $bin/generate --docs "$documents"; fi
}
rm -rf $work/index
begin=$(date +%s.%N)
# shellcheck disable=SC2086
feed | $bin/pace "$step" $work/pace.tsv |
    "$pressmark" index -q -i $work/index --json ${INDEX_OPTIONS:-} - >$work/index.json
end=$(date +%s.%N)
"$pressmark" check -i $work/index >/dev/null
awk -v total="$(echo "$end $begin" | awk '{ print $1 - $2 }')" -v index_json="$(cat $work/index.json)" \
    -v machine="$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores" \
    -v options="${INDEX_OPTIONS:-}" -v segments="$(find $work/index -name '*.seg' | wc -l)" \
    -v plot=$work/rate.svg -f benchmarks/scale.awk $work/pace.tsv >$work/report.md
cat $work/report.md
