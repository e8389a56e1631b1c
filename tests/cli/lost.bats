# An index file that is cut short while the program has it mapped: one line, exit code 5.
load helper

setup() {
    cd "$BATS_TEST_TMPDIR" || exit
    X=$BATS_TEST_TMPDIR/x.idx
    make_five "$X"
    SEGMENT=$(basename "$X"/*.seg)
}

# begin ARGS...: the program in the background, PID, fed by `tell`.
begin() {
    rm -f in out; mkfifo in
    "$PRESSMARK" "$@" <in >out 2>err &
    PID=$!
    exec {TO}>in
}
# It may be gone before it has read all.
tell() { (trap '' PIPE; printf "$1" >&"$TO") 2>/dev/null || true; }

# Until the program has the segment mapped.
mapped() {
    local tries
    for tries in $(seq 200); do
        grep -q "$SEGMENT" "/proc/$PID/maps" && return 0
        sleep 0.05
    done
    echo "$SEGMENT is never mapped"; return 1
}
cut_under() { mapped && truncate -s "$1" "$X/$SEGMENT"; }

# It exits with 5 and says one line that names the segment.
ends_lost() {
    local code=0
    exec {TO}>&-
    wait "$PID" || code=$?
    stderr=$(cat err)
    same 5 "$code"
    says "$SEGMENT: cannot be read any more" "pressmark check"
}

@test "a segment cut short under a search" {
    for left in 0 4096; do
        rm -rf "$X"; make_five "$X"; SEGMENT=$(basename "$X"/*.seg)
        begin bench protocol -i "$X"
        tell 'COUNT\ttariffs\n'
        cut_under "$left"
        tell 'TOP_10\tthe\nCOUNT\t"rare earth"\nCOUNT\tkorea\n'
        ends_lost
    done
}

@test "a segment cut short under a writer: nothing is published" {
    cp "$X/manifest" before; cp "$X/$SEGMENT" segment
    local id; id=$(P search -i "$X" tariffs --format ids -k 1)
    begin index -q -i "$X" -
    cut_under 0
    tell "{\"id\":\"$id\",\"text\":\"tariffs anew\"}\n"
    ends_lost
    cmp "$X/manifest" before
    cp segment "$X/$SEGMENT"
    P check --deep -i "$X"
    expect 0 P index -q -i "$X" - <<<'{"id":"new","text":"tariffs anew"}'
    same 6 "$(P stats -i "$X" --json | jq .documents)"
}

@test "the line is safe for a terminal, whatever the folder is called" {
    X=$BATS_TEST_TMPDIR/$'e\e[31mr\u00e9d\u202e'
    make_five "$X"
    SEGMENT=$(basename "$X"/*.seg)
    begin bench protocol -i "$X"
    cut_under 0
    tell 'COUNT\ttariffs\n'
    ends_lost
    mentions $'/e?[31mr\u00e9d?/'
}

@test "a bus error of its own still ends the program by the signal" {
    begin bench protocol -i "$X"
    mapped
    kill -BUS "$PID"
    local code=0
    exec {TO}>&-
    wait "$PID" || code=$?
    same 135 "$code"
    [ ! -s err ]
}
