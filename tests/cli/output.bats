# Standard output that cannot be written, disks that fail, memory that is refused.
load helper

setup_file() {
    export X=$BATS_FILE_TMPDIR/five.idx
    "$PRESSMARK" index -q -i "$X" "$BATS_TEST_DIRNAME/../../corpus/articles"
}
setup() { cd "$BATS_TEST_TMPDIR" || exit; }

to_full() { "$@" > /dev/full; }
into_closed_pipe() { (sleep 0.2; "$@"; echo $? > code) | :; }

@test "/dev/full: exit 5 and one line" {
    for c in "search trump" "search --json trump" "search --count trump" dump "stats" "check" \
        "show 003_49c9dfdcf3ca4ea9.txt"; do
        expect 5 to_full P ${c%% *} -i "$X" ${c#"${c%% *}"}
        says "standard output" "No space left"
    done
    expect 5 to_full P help; says "standard output"
    expect 5 to_full P --version; says "standard output"
    expect 5 to_full P analyze x; says "standard output"
    expect 5 to_full P batch -i "$X" - <<< trump; says "standard output"
    expect 5 to_full P index -i new.idx --json "$ARTICLES"; says "standard output"
}

@test "a closed pipe: exit 0, silent" {
    for c in "search trump" "search --json trump" dump stats; do
        expect 0 into_closed_pipe P ${c%% *} -i "$X" ${c#"${c%% *}"}
        [ -z "$stderr" ]
        same 0 "$(cat code)"
    done
    expect 0 into_closed_pipe P help
    same 0 "$(cat code)"
    # more than a pipe holds, so that the break comes in the middle
    for i in $(seq 3000); do echo trump xi china; done > q
    run --separate-stderr bash -c '{ "$0" batch -i "$1" q; echo $? > code; } | head -n 1 > /dev/null' "$PRESSMARK" "$X"
    [ -z "$stderr" ]
    same 0 "$(cat code)"
}

@test "stdout closed from the start: exit 5" {
    run --separate-stderr bash -c '"$0" search -i "$1" trump >&-' "$PRESSMARK" "$X"
    [ "$status" -eq 5 ]
    says "standard output"
}

# with_fault_index N CALL ERRNO: a first commit, then a second one with a fault.
second_commit() {
    rm -rf y.idx struck
    echo '{"id":"old","text":"first state"}' | P index -q -i y.idx -
    with_fault "$1" "$PRESSMARK" index -q -i y.idx new.jsonl
}

# The index is sound, and in the old or the new state as the exit code says.
state_is() {
    expect 0 P check --deep -i y.idx
    run P search -i y.idx --count second
    if [ "$1" = new ]; then [ "$output" -eq 1 ]; else [ "$output" -eq 0 ]; fi
    same 1 "$(P search -i y.idx --count first)"
}

@test "each fsync refused in turn: exit 5 and the old state, or 6 and the new one" {
    echo '{"id":"new","text":"second state"}' > new.jsonl
    seen5=0 seen6=0
    for n in $(seq 1 40); do
        run --separate-stderr second_commit fsync:$n:5
        if [ ! -e struck ]; then [ "$status" -eq 0 ]; break; fi
        case $status in
        5) seen5=1; says "cannot sync" "y.idx"; state_is old ;;
        6) seen6=1; says "visible" "power cut"; state_is new ;;
        *) echo "fsync $n: exit $status: $stderr"; return 1 ;;
        esac
    done
    [ ! -e struck ]
    [ $seen5 -eq 1 ]
    [ $seen6 -eq 1 ]
}

@test "disk full at each write: exit 5, the old state, and a later run succeeds" {
    echo '{"id":"new","text":"second state"}' > new.jsonl
    for n in $(seq 1 40); do
        run --separate-stderr second_commit write:$n+:28
        if [ ! -e struck ]; then [ "$status" -eq 0 ]; break; fi
        [ "$status" -eq 5 ] || { echo "write $n: exit $status: $stderr"; return 1; }
        says "No space left" "y.idx" "free some space"
        state_is old
    done
    [ "$n" -gt 1 ]
    [ ! -e struck ]
    expect 0 P index -q -i y.idx new.jsonl
    state_is new
}

@test "memory refused at each allocation of a search: exit 5, never a crash" {
    is_asan && skip "the sanitizer owns malloc"
    [ "${PM_TEST_VARIANT-}" != cov ] || skip "gcov has no use for a refusal at the end"
    n=1
    while :; do
        rm -f struck
        run --separate-stderr with_fault malloc:$n:12 "$PRESSMARK" search -i "$X" --json 'trump "xi jinping" -tiktok'
        [ -e struck ] || break
        case $status in
        0) jq -e '.hits | length > 0' <<<"$output" >/dev/null ;; # stdio and the loader do without
        5) says "memory" ;;
        *) echo "allocation $n: exit $status: $stderr"; return 1 ;;
        esac
        n=$((n < 100 ? n + 1 : n + n / 9))
    done
    [ "$status" -eq 0 ]
    [ "$n" -gt 10 ]
}

@test "memory refused while indexing: exit 5, and the index stays as it was" {
    is_asan && skip "the sanitizer owns malloc"
    [ "${PM_TEST_VARIANT-}" != cov ] || skip "gcov has no use for a refusal at the end"
    echo '{"id":"new","text":"second state"}' > new.jsonl
    n=1
    while :; do
        run --separate-stderr second_commit malloc:$n:12
        [ -e struck ] || break
        case $status in
        0) ;;
        5) says "memory"; state_is old ;;
        *) echo "allocation $n: exit $status: $stderr"; return 1 ;;
        esac
        n=$((n < 12 ? n + 1 : n + n / 4))
    done
    [ "$status" -eq 0 ]
    state_is new
}
