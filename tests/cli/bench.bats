# bench: the counts must be those of search, the times must be times, and nothing stays behind.
load helper

setup_file() {
    export IDX=$BATS_FILE_TMPDIR/idx QUERIES=$BATS_FILE_TMPDIR/queries.jsonl DOCS=$BATS_FILE_TMPDIR/docs.jsonl
    make_five "$IDX"
    cat > "$QUERIES" <<'END'
{"query": "the", "tags": ["term"]}
{"query": "+trump +tiktok", "tags": ["intersection", "global", "intersection:num_tokens_2"]}
{"query": "+rare +earth", "tags": ["intersection", "global", "intersection:num_tokens_2"]}
{"query": "\"rare earth\"", "tags": ["phrase", "phrase:num_tokens_2"]}
{"query": "tariffs nosuchword", "tags": ["union", "global"]}
{"query": "+china -tiktok", "tags": ["negated", "global"]}
END
    printf '%s\n' '{"id":"a","title":"One","text":"rare earths, tariffs"}' \
        '{"id":"b","title":"Two","text":"the talks went on"}' > "$DOCS"
}

# count QUERY: by search, as bench asks it
count() { P search -i "$IDX" --match any --count "$@" || true; }

@test "bench search: classes by first tag, counts as search gives them" {
    expect 0 P bench search -i "$IDX" --queries "$QUERIES" --repeat 2 --warmup 0 --json \
        --commands COUNT,TOP_10,TOP_2_COUNT
    same "term intersection phrase union negated" \
        "$(jq -r '[.commands[] | select(.command == "COUNT") | .class] | join(" ")' <<<"$output")"
    same 15 "$(jq '.commands | length' <<<"$output")"
    same 2 "$(jq '.commands[] | select(.command == "COUNT" and .class == "intersection") | .queries' <<<"$output")"
    local both=$(($(count '+trump +tiktok') + $(count '+rare +earth')))
    for command in COUNT TOP_10 TOP_2_COUNT; do
        same "$both" "$(jq ".commands[] | select(.command == \"$command\" and .class == \"intersection\") | .hits" <<<"$output")"
        same "$(count '"rare earth"')" "$(jq ".commands[] | select(.command == \"$command\" and .class == \"phrase\") | .hits" <<<"$output")"
        same "$(count '+china -tiktok')" "$(jq ".commands[] | select(.command == \"$command\" and .class == \"negated\") | .hits" <<<"$output")"
    done
    jq -e 'all(.commands[]; 0 <= .mean_us and .p50_us <= .p90_us and .p90_us <= .p99_us
        and .p99_us <= .max_us and .mean_us <= .max_us and .parse_us >= 0)' <<<"$output"
}

@test "bench search: TOP_k counts the hits it returns" {
    expect 0 P bench search -i "$IDX" --queries "$QUERIES" --repeat 1 --warmup 0 --json --commands TOP_1
    same 1 "$(jq '.commands[] | select(.class == "term") | .hits' <<<"$output")"
}

@test "bench search: --by-tag lists the other tags too" {
    expect 0 P bench search -i "$IDX" --queries "$QUERIES" --repeat 1 --warmup 0 --json --by-tag --commands COUNT
    same 4 "$(jq '.commands[] | select(.class == "global") | .queries' <<<"$output")"
    same 2 "$(jq '.commands[] | select(.class == "intersection:num_tokens_2") | .queries' <<<"$output")"
}

@test "bench search: plain lines, identifiers left out, a table for people" {
    printf 'tariffs\n7\trare earth\n\n' > "$BATS_TEST_TMPDIR/plain"
    expect 0 P bench search -i "$IDX" --queries "$BATS_TEST_TMPDIR/plain" --repeat 1 --warmup 0 --commands COUNT
    same 2 "$(wc -l <<<"$output")"
    read -r command class queries _ _ _ _ _ _ hits <<<"${lines[1]}"
    same "COUNT plain 2 $(($(count tariffs) + $(count rare earth)))" "$command $class $queries $hits"
}

@test "bench search: what is refused" {
    expect 2 P bench search -i "$IDX"; says "--queries FILE"
    expect 2 P bench search -i "$IDX" --queries /nonexistent; says /nonexistent
    expect 2 P bench search -i "$IDX" --queries "$QUERIES" --commands COUNT,BOTTOM_10; says BOTTOM_10
    expect 2 P bench search -i "$IDX" --queries "$QUERIES" --commands TOP_0; says TOP_0
    expect 2 P bench search -i /nonexistent --queries "$QUERIES"
    printf '{"query": 3}\n' > "$BATS_TEST_TMPDIR/bad"
    expect 2 P bench search -i "$IDX" --queries "$BATS_TEST_TMPDIR/bad"; says "line 1" query
    : > "$BATS_TEST_TMPDIR/empty"
    expect 2 P bench search -i "$IDX" --queries "$BATS_TEST_TMPDIR/empty"; says "no query"
}

@test "bench protocol: one answer a line" {
    expect 0 P bench protocol -i "$IDX" <<<$'COUNT\tthe\nTOP_10\tthe\nTOP_10_COUNT\t+rare +earth\nSORT_BY\tthe\nCOUNT\tzymurgy\nnothing'
    same "$(count the)"$'\n1\n'"$(count '+rare +earth')"$'\nUNSUPPORTED\n0\nUNSUPPORTED' "$output"
}

@test "bench protocol: ends when nobody reads its answers any more" {
    (yes "$(printf 'COUNT\tthe')" | { timeout 20 "$PRESSMARK" bench protocol -i "$IDX"; echo $? > "$BATS_TEST_TMPDIR/status"; } | head -n 1)
    same 0 "$(cat "$BATS_TEST_TMPDIR/status")"
}

@test "bench protocol: answers before the next question comes" {
    coproc BENCH { "$PRESSMARK" bench protocol -i "$IDX"; }
    local pid=$BENCH_PID # bash forgets it as soon as the program has ended
    printf 'TOP_10\tthe\n' >&"${BENCH[1]}"
    read -r -t 10 answer <&"${BENCH[0]}"
    same 1 "$answer"
    exec {BENCH[1]}>&-
    wait "$pid"
}

@test "bench index: figures that agree with an index, and no folder left" {
    mkdir "$BATS_TEST_TMPDIR/tmp"
    TMPDIR=$BATS_TEST_TMPDIR/tmp expect 0 P bench index --json "$DOCS"
    local text='OneTworare earths, tariffsthe talks went on'
    same 2 "$(jq .documents <<<"$output")"
    same "${#text}" "$(jq .text_bytes <<<"$output")"
    P index -q -i "$BATS_TEST_TMPDIR/idx" "$DOCS"
    same "$(P stats -i "$BATS_TEST_TMPDIR/idx" --json | jq .index_bytes)" "$(jq .index_bytes <<<"$output")"
    same "$(jq .index_bytes <<<"$output")" "$(jq '[.sections[]] | add' <<<"$output")"
    local stats; stats=$(P stats -i "$BATS_TEST_TMPDIR/idx" --json)
    same "$(jq .index_bytes <<<"$stats")" "$(jq '[.parts[]] | add' <<<"$stats")"
    same "$(jq .bare_bytes <<<"$stats")" "$(jq '.index_bytes - .parts.stored - .parts.bigrams' <<<"$stats")"
    jq -e '.seconds > 0 and .cpu_seconds > 0 and .mb_per_s > 0 and .peak_rss_bytes > 0' <<<"$output"
    same "" "$(ls "$BATS_TEST_TMPDIR/tmp")"
}

@test "bench index: nothing is left after an error either" {
    mkdir "$BATS_TEST_TMPDIR/tmp"
    expect 2 P bench index
    TMPDIR=$BATS_TEST_TMPDIR/tmp expect 2 P bench index /nonexistent.jsonl
    TMPDIR=$BATS_TEST_TMPDIR/tmp expect 2 P bench index --lang klingon "$DOCS"
    printf '{"id":"a","text":"x"}\n{broken\n' > "$BATS_TEST_TMPDIR/broken.jsonl"
    TMPDIR=$BATS_TEST_TMPDIR/tmp expect 3 P bench index "$BATS_TEST_TMPDIR/broken.jsonl"
    says "broken.jsonl:2" "skipped"
    printf '{"id":"a","text":"x"}\n{"id":"a","text":"y"}\n' > "$BATS_TEST_TMPDIR/twice.jsonl"
    TMPDIR=$BATS_TEST_TMPDIR/tmp expect 3 P bench index "$BATS_TEST_TMPDIR/twice.jsonl"
    says "twice.jsonl:2" "met before"
    TMPDIR=$BATS_TEST_TMPDIR/missing expect 5 P bench index "$DOCS"; says "name another folder"
    same "" "$(ls "$BATS_TEST_TMPDIR/tmp")"
}

@test "bench index: Ctrl-C while it waits for standard input ends it, and nothing stays behind" {
    mkdir "$BATS_TEST_TMPDIR/tmp"; mkfifo "$BATS_TEST_TMPDIR/fifo"
    exec 8<>"$BATS_TEST_TMPDIR/fifo"
    code=$(TMPDIR=$BATS_TEST_TMPDIR/tmp bash -c 'set -m; timeout --foreground -k 15 20 "$0" bench index - <"$1" >/dev/null 2>&1 3>&- &
        sleep 0.5; kill -INT $!; wait $!; echo $?' "$PRESSMARK" "$BATS_TEST_TMPDIR/fifo")
    exec 8>&-
    same 130 "$code"
    same "" "$(ls "$BATS_TEST_TMPDIR/tmp")"
}
