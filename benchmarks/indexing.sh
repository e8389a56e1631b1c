#!/bin/sh
# What indexing costs: one thread and two, many commits and one, an update in place and a fresh
# index, a merge and what it merges.
#
#   sh benchmarks/indexing.sh [DOCS] [ROUNDS]        default 100000 3; generated articles
#   CORPUS=file.jsonl sh benchmarks/indexing.sh      the first part on these articles instead
#   PARTS='threads commits queries update'           only these; queries need commits before them
#
# Commands take turns, each figure is the least of its rounds, in seconds by the clock unless
# said otherwise.
set -eu
cd "$(dirname "$0")/.."
docs=${1:-100000} rounds=${2:-3} parts=" ${PARTS:-threads commits queries update} "
program=build/release/pressmark generate=build/release/benchmarks/generate
micro_json=build/release/benchmarks/micro_json
dir=$(mktemp -d "${TMPDIR:-/var/tmp}/pressmark-indexing.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
for needed in "$program" "$generate" "$micro_json"; do
    [ -x "$needed" ] || { echo "indexing.sh: $needed is not there; make all benches" >&2; exit 2; }
done

# timed FILE COMMAND...: seconds, appended
timed() {
    file=$1
    shift
    begin=$(date +%s%N)
    "$@" > /dev/null
    end=$(date +%s%N)
    echo $(((end - begin) / 1000)) >> "$file"
}
least() { sort -n "$1" | head -n 1; }
seconds() { awk -v us="$1" 'BEGIN { printf "%.2f", us / 1e6 }'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

"$generate" --docs "$docs" > "$dir/docs.jsonl"
corpus=${CORPUS:-$dir/docs.jsonl}
wanted() { case $parts in *" $1 "*) ;; *) return 1 ;; esac; }

threads() {
    echo "==> one thread and two: $corpus"
    for round in $(seq "$rounds"); do
        for store in no yes; do
            for threads in 1 2; do
                "$program" bench index --json --store=$store --threads $threads "$corpus" > "$dir/one.json"
                sed -n 's/.*"seconds":\([0-9.]*\),.*"mb_per_s":\([0-9.]*\),"peak_rss_bytes":\([0-9]*\).*/\1 \2 \3/p' \
                    "$dir/one.json" >> "$dir/bench.$store.$threads"
            done
        done
    done
    for store in no yes; do
        for threads in 1 2; do
            sort -n "$dir/bench.$store.$threads" | head -n 1 |
                awk -v s=$store -v t=$threads '{ printf "store=%s threads=%d: %.2f s, %.1f MB/s, peak %.0f MB\n", s, t, $1, $2, $3 / 1e6 }'
        done
        a=$(sort -n "$dir/bench.$store.1" | head -n 1 | cut -d' ' -f1)
        b=$(sort -n "$dir/bench.$store.2" | head -n 1 | cut -d' ' -f1)
        echo "store=$store: two threads $(ratio "$a" "$b") x"
    done
    case $corpus in *.gz) return 0 ;; esac
    [ -f "$corpus" ] || return 0
    "$micro_json" "$corpus" "$rounds" > "$dir/json" # of one thread's time, reading JSON alone
    awk -v all="$(sort -n "$dir/bench.no.1" | head -n 1 | cut -d' ' -f1)" '{
        for (i = 2; i < NF; i++) { if ($i == "MB") mb = $(i - 1); if ($i ~ /^s:/) json = $(i - 1) }
        printf "reading JSON %.3f s of one thread, %.1f %%; the rest at %.1f MB/s\n", json, 100 * json / all, mb / (all - json)
    }' "$dir/json"
}

commits() {
    echo "==> $docs generated articles: one commit, and a commit every $((docs / 1000))"
    for round in $(seq "$rounds"); do
        rm -rf "$dir/one" "$dir/many"
        timed "$dir/t.one" "$program" index --quiet -i "$dir/one" "$dir/docs.jsonl"
        timed "$dir/t.many" "$program" index --quiet -i "$dir/many" --commit-every $((docs / 1000)) "$dir/docs.jsonl"
    done
    one=$(least "$dir/t.one") many=$(least "$dir/t.many")
    echo "one commit $(seconds "$one") s, 1000 commits $(seconds "$many") s: $(ratio "$many" "$one") x"
}

queries() {
    echo "==> queries on both"
    "$generate" --docs "$docs" --queries 300 > "$dir/queries.jsonl"
    for name in one many; do
        "$program" bench search -i "$dir/$name" --queries "$dir/queries.jsonl" --commands TOP_10,COUNT \
            --repeat 3 --warmup 1 --json |
            jq -r --arg name "$name" '.commands[] | "\($name) \(.command) \(.class) \(.mean_us * 100 | round / 100) us"'
    done | sort -k2,3 -s | awk '{ k = $2 " " $3; if ($1 == "one") a[k] = $4; else b[k] = $4 }
        END { for (k in a) printf "%s: %s us after one commit, %s after 1000: %.2f x\n", k, a[k], b[k], b[k] / a[k] }' | sort
}

update() {
    [ -d "$dir/one" ] || timed "$dir/t.one" "$program" index --quiet -i "$dir/one" "$dir/docs.jsonl"
    one=$(least "$dir/t.one")
    echo "==> a tenth of the articles changed, in place"
    awk 'NR % 10 == 0' "$dir/docs.jsonl" | sed 's/"text": *"/&Amended. /' > "$dir/changed.jsonl"
    for round in $(seq "$rounds"); do
        rm -rf "$dir/updated" "$dir/tenth"
        cp -r "$dir/one" "$dir/updated"
        timed "$dir/t.update" "$program" index --quiet -i "$dir/updated" "$dir/changed.jsonl"
        timed "$dir/t.tenth" "$program" index --quiet -i "$dir/tenth" "$dir/changed.jsonl"
    done
    update=$(least "$dir/t.update") tenth=$(least "$dir/t.tenth")
    echo "update $(seconds "$update") s, the same articles alone $(seconds "$tenth") s: $(ratio "$tenth" "$update") of the fresh rate"
    timed "$dir/t.optimize" "$program" optimize --quiet -i "$dir/updated"
    awk 'NR == FNR { changed[NR * 10] = $0; next } FNR % 10 { print } END { for (i = 10; i in changed; i += 10) print changed[i] }' \
        "$dir/changed.jsonl" "$dir/docs.jsonl" > "$dir/after.jsonl"
    rm -rf "$dir/fresh"
    "$program" index --quiet -i "$dir/fresh" "$dir/after.jsonl"
    size() { "$program" stats -i "$1" --json | jq .index_bytes; }
    echo "size after a merge $(ratio "$(size "$dir/updated")" "$(size "$dir/fresh")") of a fresh index"
    echo "the merge took $(seconds "$(least "$dir/t.optimize")") s, a fresh index $(seconds "$one") s"
}

for part in threads commits queries update; do
    if wanted "$part"; then "$part"; fi
done
