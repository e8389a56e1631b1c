# What README.md shows works as it stands there: its commands, and its program.
load helper

setup() {
    cd "$BATS_TEST_TMPDIR" || exit
    ln -s "$ROOT/corpus" corpus
    PATH=$(dirname "$PRESSMARK"):$PATH
    allow_xapian
}

# commands HEADING: those of the section, a line each; what is behind # is for the reader.
commands() { awk -v heading="## $1" '/^## / { in_it = $0 == heading } in_it && /^    pressmark /' "$ROOT/README.md"; }

# try N HEADING WITHOUT: at least n commands of the section, but those that match the pattern; each says
# something.
try() {
    local line n=0
    while read -r line; do
        expect 0 bash -c "set -o pipefail; $line" </dev/null
        [ -n "$output$stderr" ] || [[ $line == *" > "* ]] || { echo "nothing from: $line"; return 1; }
        n=$((n + 1))
    done < <(commands "$2" | grep -Ev "$3")
    [ "$n" -ge "$1" ] || { echo "$n commands under $2"; return 1; }
}

@test "first searches, in the order of the page" {
    try 8 'First searches' '^$'
    [ -s run.trec ]
}

@test "the answer that is shown" {
    P index -q corpus/articles
    expect 0 P search --snippets=no -k 3 rare earth export controls
    same "$(awk '/^    \$ pressmark search --snippets=no -k 3 rare earth export controls$/ { in_it = 1; next }
        !/^    / { in_it = 0 } in_it' "$ROOT/README.md" | cut -c5-)" "$output"
}

@test "another engine; servers aside (shard.bats)" {
    try 4 'Another engine' 'shard (start|stop)|servers|tcp:'
}

@test "the program of the section on the library" {
    if is_asan; then skip "the library wants its sanitizer"; fi
    P index -q "$ARTICLES"
    awk '/^```c$/ { in_it = 1; next } /^```/ { in_it = 0 } in_it' "$ROOT/README.md" >find.c
    ${CC:-cc} -Wall -Wextra -Werror -I"$ROOT" -o find find.c -L"$BUILD" -lpressmark -Wl,-rpath,.
    ln -s "$BUILD/libpressmark.so" libpressmark.so.0
    expect 0 ./find
    same "$(P search --format ids rare earth)" "$output"
}
