# An index file that is cut short while the program has it mapped: one line, exit code 5.
load helper

setup() {
    X=$BATS_TEST_TMPDIR/x.idx
    make_five "$X"
    SEGMENT=$(basename "$X"/*.seg)
}

# Cut the segment to N bytes as soon as process PID has it mapped.
cut_under() { # PID N
    local tries
    for tries in $(seq 200); do
        grep -q "$SEGMENT" "/proc/$1/maps" && truncate -s "$2" "$X/$SEGMENT" && return 0
        sleep 0.05
    done
    echo "$SEGMENT is never mapped"; return 1
}

# ends_lost PID: it exits with 5 and its standard error, in the file `err`, names the segment once.
ends_lost() {
    local code=0
    wait "$1" || code=$?
    stderr=$(cat "$BATS_TEST_TMPDIR/err")
    same 5 "$code"
    says "$SEGMENT: cannot be read any more" "pressmark check"
}

@test "a segment cut short under a search" {
    for left in 0 4096; do
        rm -rf "$X"; make_five "$X"; SEGMENT=$(basename "$X"/*.seg)
        coproc LOST { exec "$PRESSMARK" bench protocol -i "$X" 2>"$BATS_TEST_TMPDIR/err"; }
        local pid=$LOST_PID
        printf 'COUNT\ttariffs\n' >&"${LOST[1]}"
        read -r -t 10 answer <&"${LOST[0]}"
        [ "$answer" -gt 0 ]
        cut_under "$pid" "$left"
        # It may be gone before it has read them all.
        printf 'TOP_10\tthe\nCOUNT\t"rare earth"\nCOUNT\tkorea\n' >&"${LOST[1]}" || true
        exec {LOST[1]}>&-
        ends_lost "$pid"
    done
}

@test "a segment cut short under a writer: nothing is published" {
    cp "$X/manifest" "$BATS_TEST_TMPDIR/before"
    cp "$X/$SEGMENT" "$BATS_TEST_TMPDIR/segment"
    local id; id=$(P search -i "$X" tariffs --format ids -k 1)
    coproc LOST { exec "$PRESSMARK" index -q -i "$X" - 2>"$BATS_TEST_TMPDIR/err"; }
    local pid=$LOST_PID
    cut_under "$pid" 0
    printf '{"id":"%s","text":"tariffs anew"}\n' "$id" >&"${LOST[1]}"
    exec {LOST[1]}>&-
    ends_lost "$pid"
    cmp "$X/manifest" "$BATS_TEST_TMPDIR/before"
    cp "$BATS_TEST_TMPDIR/segment" "$X/$SEGMENT"
    P check --deep -i "$X"
    expect 0 P index -q -i "$X" - <<<'{"id":"new","text":"tariffs anew"}'
    same 6 "$(P stats -i "$X" --json | jq .documents)"
}

@test "the line is safe for a terminal, whatever the folder is called" {
    X=$BATS_TEST_TMPDIR/$'e\e[31mr\u00e9d\u202e'
    make_five "$X"
    SEGMENT=$(basename "$X"/*.seg)
    coproc LOST { exec "$PRESSMARK" bench protocol -i "$X" 2>"$BATS_TEST_TMPDIR/err"; }
    local pid=$LOST_PID
    cut_under "$pid" 0
    printf 'COUNT\ttariffs\n' >&"${LOST[1]}"
    exec {LOST[1]}>&-
    ends_lost "$pid"
    mentions $'/e?[31mr\u00e9d?/'
}

@test "a bus error of its own still ends the program by the signal" {
    is_asan && skip "the sanitizer has a handler of its own"
    coproc LOST { exec "$PRESSMARK" bench protocol -i "$X" 2>"$BATS_TEST_TMPDIR/err"; }
    local pid=$LOST_PID code=0
    for _ in $(seq 200); do grep -q "$SEGMENT" "/proc/$pid/maps" && break; sleep 0.05; done
    kill -BUS "$pid"
    exec {LOST[1]}>&-
    wait "$pid" || code=$?
    same 135 "$code"
    [ ! -s "$BATS_TEST_TMPDIR/err" ]
}
