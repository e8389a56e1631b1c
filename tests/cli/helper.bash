# Shared by the tests of the command line.
bats_require_minimum_version 1.5.0
ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
PRESSMARK=${PRESSMARK:-$ROOT/build/release/pressmark}
BUILD=${BUILD:-$ROOT/build/release}
ARTICLES=$ROOT/corpus/articles

# Within a test: P is the program, on an index of its own unless the file has a common one.
P() { "$PRESSMARK" "$@"; }

# make_five DIR: the five articles as an index.
make_five() { P index -q -i "$1" "$ARTICLES"; }

# False where no pseudo-terminal can be made (a container without /dev/pts).
has_tty() { script -qec true /dev/null </dev/null >/dev/null 2>&1; }

# Is the program linked statically, so that it hands over to another for plugins?
is_static() { ! ldd "$PRESSMARK" >/dev/null 2>&1; }

# libxapian deletes an object by the size of its base class; the address sanitizer is not to mind.
allow_xapian() { export ASAN_OPTIONS=new_delete_type_mismatch=0; }

is_asan() { ldd "$PRESSMARK" 2>/dev/null | grep -q 'lib.san'; }

# with_fault SPEC PROGRAM ARGS...: see faultlib.c.  What is static cannot be preloaded; the
# dynamic twin of the program stands in.
with_fault() {
    local spec=$1; shift
    [ "$1" = "$PRESSMARK" ] && shift && set -- "$BUILD/tests/cli/pressmark" "$@"
    FAULT=$spec FAULT_LOG=$BATS_TEST_TMPDIR/struck LD_PRELOAD=$BUILD/tests/cli/faultlib.so \
        ASAN_OPTIONS=verify_asan_link_order=0 "$@"
}

# await_lock PID: until the process holds the lock of a writer, which asking for it might take away.
await_lock() {
    for _ in $(seq 200); do
        grep -qs '^lock:.*WRITE' /proc/"$1"/fdinfo/* && return
        sleep 0.05
    done
    echo "process $1 holds no lock"; return 1
}

# expect CODE COMMAND...: runs it, standard output in $output, standard error in $stderr.
expect() {
    local code=$1; shift
    run --separate-stderr "$@"
    if [ "$status" -ne "$code" ]; then
        echo "exit code $status instead of $code: $*"
        echo "stdout: $output"
        echo "stderr: $stderr"
        return 1
    fi
}

# same EXPECTED ACTUAL
same() {
    [ "$1" = "$2" ] && return 0
    diff <(printf '%s\n' "$1") <(printf '%s\n' "$2")
    return 1
}

# One line on standard error that begins with "pressmark: " and contains every word given.
says() {
    local lines
    lines=$(printf '%s\n' "$stderr" | wc -l)
    [ "$lines" -eq 1 ] && [[ $stderr == "pressmark: "* ]] || { echo "stderr: $stderr"; return 1; }
    mentions "$@"
}
# Standard error contains every word given.
mentions() {
    local word
    for word in "$@"; do
        [[ $stderr == *"$word"* ]] || { echo "no '$word' in: $stderr"; return 1; }
    done
}
