# Commands, options, help: what is accepted, what is refused and how that is said.
load helper

@test "no command: short help on stderr, exit 2" {
    expect 2 P
    [ -z "$output" ]
    mentions "usage: pressmark COMMAND"
}

@test "help, --help, -h are the same and go to stdout" {
    expect 0 P help; local help=$output
    [ -z "$stderr" ]
    [[ $help == *"search "*"find articles, best first"* ]]
    expect 0 P --help; same "$help" "$output"
    expect 0 P -h; same "$help" "$output"
}

@test "help COMMAND and COMMAND --help are the same" {
    for c in index search show batch delete optimize stats check dump analyze; do
        expect 0 P help $c; local help=$output
        [[ $help == "pressmark $c - "* ]]
        expect 0 P $c --help; same "$help" "$output"
        expect 0 P $c -h; same "$help" "$output"
    done
    expect 0 P help "bench" ; [[ $output == *"bench search"* ]]
    expect 0 P help bench search; [[ $output == "pressmark bench search"* ]]
}

@test "help search says how operators bind and how zones are filtered, and so it is" {
    cd "$BATS_TEST_TMPDIR"
    expect 0 P help search
    local help=$(tr -s '\n ' ' ' <<<"$output")
    [[ $help == *"rare AND kirk meet is rare AND (kirk meet)."* && $help == *"filtered by its day in UTC"* ]]
    printf '%s\n' '{"id":"a","text":"kirk","date":"2025-09-19T23:30:00-05:00"}' \
        '{"id":"b","text":"kirk","date":"2025-09-19T23:30:00"}' \
        '{"id":"c","text":"kirk","date":"2025-09-20T01:00:00+02:00"}' | P index -q -i x.idx -
    same $'b\nc' "$(P search -i x.idx --format ids kirk date:2025-09-19)"
    same a "$(P search -i x.idx --format ids kirk --after 2025-09-20)"
    same "rare AND (kirk meet)" "$(P search -i x.idx --json rare AND kirk meet | jq -r .interpreted)"
}

@test "--help wins over bad arguments after it, not before it" {
    expect 0 P search --help --nonsense
    expect 2 P search --nonsense --help
}

@test "--version" {
    expect 0 P --version
    [[ $output =~ ^pressmark\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "unknown command: exit 2 and the nearest one" {
    expect 2 P serch; says "unknown command 'serch'" "did you mean 'search'"
    expect 2 P bench serch x; says "unknown command 'serch'" "did you mean 'bench search'"
    expect 2 P bench nothing; says "bench: which?" "pressmark help bench"
    expect 2 P xyzzy; says "'pressmark help' lists them"
    expect 2 P help xyzzy; says "unknown command"
    expect 2 P -i x search y; says "the command comes first"
}

@test "unknown option: exit 2 and the nearest one" {
    expect 2 P search --limt 5 x; says "search" "'--limt'" "did you mean '--limit'"
    expect 2 P search --limit 99999999999999999999 x; says "--limit" "99999999999999999999"
    expect 2 P index --threads 99999999999999999999 x; says "--threads" "out of range"
    expect 0 P help help; [[ $output == *usage* ]]
    expect 2 P search --limt=5 x; says "'--limt=5'" "did you mean '--limit'"
    expect 2 P search --xyzzy x; says "'pressmark help search'"
    expect 2 P stats -Z; says "unknown option '-Z'"
}

@test "what is not built yet: exit 2, 'not available yet', not listed" {
    for o in sort why-not timeline facet group; do
        expect 2 P search --$o=x query; says "search: --$o" "not available yet"
        expect 2 P search query --$o x; says "--$o" "not available yet"
        run P help search; [[ $output != *"--$o"* ]]
    done
    expect 2 P index --reorder=bp x; says "--reorder=bp" "not available yet"
    for f in html csv trec; do
        expect 2 P index --input-format $f x; says "--input-format=$f" "not available yet"
    done
    for c in eval serve; do
        expect 2 P $c a b; says "$c" "not available yet"
        expect 2 P help $c; says "$c" "not available yet"
        run P help; ! grep -q "^  $c" <<<"$output"
    done
    run P help index; [[ $output != *csv* ]]
}

@test "values are checked" {
    expect 2 P search -k; says "--limit needs a value"
    expect 2 P search -k abc x; says "'abc' is not a whole number"
    expect 2 P search --limit=-1 x; says "'-1'"
    expect 2 P search --limit=9223372036854775808 x; says "out of range"
    expect 2 P search --limit=99999999999999999999999 x; says "out of range"
    expect 2 P search --offset=1e3 x; says "--offset"
    expect 2 P search --match some x; says "'some' is none of auto|all|any"
    expect 2 P search --format xml x; says "none of text|json|jsonl|tsv|trec|ids"
    expect 2 P search --snippets maybe x; says "yes or no"
    expect 2 P search --b 1.5 x; says "--b" "0 to 1"
    expect 2 P search --k1 nan x; says "--k1"
    expect 2 P search --k1 inf x; says "--k1"
    expect 2 P search --k1 -1 x; says "--k1"
    expect 2 P search --json=yes x; says "takes no value"
    expect 2 P search --index= x; says "--index" "empty"
    expect 2 P index --memory 5Q x; says "'5Q' is not a size" "64M"
    expect 2 P index --memory 1k x; says "out of range"
    expect 2 P index --memory 99999999999G x; says "--memory"
    expect 2 P batch --topic-fields summary x; says "--topic-fields"
}

@test "every command takes --color, and checks its value" {
    cd "$BATS_TEST_TMPDIR"
    echo "one story" >a.txt; echo story >q
    export PRESSMARK_INDEX=$PWD/x.idx
    expect 0 P index -q --color=never a.txt
    for c in "search story" "show a.txt" "batch q" optimize stats check dump "analyze story" "delete a.txt" \
        "bench search --queries q --warmup 0" "bench protocol" "bench index d.jsonl"; do
        [ "$c" != "bench index d.jsonl" ] || echo '{"id":"a","text":"story"}' >d.jsonl
        expect 0 P $c --color=always </dev/null
        [[ $c = search* || $output != *$'\e'* ]]
        expect 2 P $c --color=blue; says "--color: 'blue' is none of auto|always|never"
        expect 2 P $c --color; says "--color needs a value"
    done
    expect 1 P shard status --color auto x.idx; says "no servers"
    run P help; [[ $output == *"--color=auto|always|never"* ]]
}

@test "every command takes --quiet, which is no word of a query and silences summaries" {
    cd "$BATS_TEST_TMPDIR"
    echo "one story" >a.txt; echo story >q; echo '{"id":"a","text":"story"}' >d.jsonl
    export PRESSMARK_INDEX=$PWD/x.idx
    for c in "index a.txt" "search story" "show a.txt" "batch q" optimize stats check dump "analyze story" \
        "delete a.txt" "bench search --queries q --warmup 0" "bench protocol" "bench index d.jsonl"; do
        expect 0 P $c --quiet </dev/null
        [ -z "$stderr" ] || [[ $c != @(index|optimize|delete)* ]]
        expect 2 P $c --quiet=yes; says "--quiet takes no value"
        [ "$c" != "delete a.txt" ] || expect 0 P index --quiet a.txt
    done
    expect 1 P shard status --quiet x.idx; says "no servers"
    expect 0 P check --quiet; same "" "$output"
    expect 0 P check; [[ $output == "ok: "* ]]
    expect 2 P stats --quite; says "did you mean '--quiet'"
    same "one story" "$(P search --json one --quiet story | jq -r .interpreted)"
    same "story -q" "$(P search --json story -q | jq -r .interpreted)"
    run P help; [[ $output == *"--quiet"* ]]
}

@test "search --quiet on a terminal: hits without the summary" {
    has_tty || skip "no pseudo-terminal"
    cd "$BATS_TEST_TMPDIR"
    echo "one story" >a.txt; P index -q -i x.idx a.txt
    run script -qec "$PRESSMARK search -i x.idx story" /dev/null </dev/null
    [[ $output == *"read as: story"* ]]
    run script -qec "$PRESSMARK search -i x.idx story --quiet" /dev/null </dev/null
    [[ $output == *a.txt* && $output != *"read as"* ]]
}

@test "-k=3 is -k 3, also behind a query" {
    cd "$BATS_TEST_TMPDIR"
    for i in 1 2 3 4 5; do echo "{\"id\":\"$i\",\"text\":\"story\"}"; done | P index -q -i x.idx -
    same $'1\n2\n3' "$(P search -i=x.idx --format ids story -k=3)"
    same $'1\n2\n3' "$(P search -k=3 -i x.idx --format ids story)"
    same $'1\n2' "$(P batch -k=2 -i x.idx --format tsv - <<<story | cut -f 3)"
    expect 2 P search -i x.idx story -k=abc; says "--limit" "'abc' is not a whole number"
    expect 2 P search -i x.idx story -k=; says "--limit" "'' is not a whole number"
    expect 2 P index -q=1 a; says "--quiet takes no value"
    same "story -korea" "$(P search -i x.idx --json story -korea | jq -r .interpreted)"
}

@test "missing and superfluous words" {
    expect 2 P search; says "QUERY"
    expect 2 P index; says "PATH"
    expect 2 P show; says "ID"
    expect 2 P delete; says "ID"
    expect 2 P batch; says "QUERYFILE"
    expect 2 P stats extra; says "unexpected argument 'extra'"
    expect 2 P batch one two; says "unexpected argument 'two'"
}

@test "message text is made safe" {
    expect 2 P $'x\e[31m\nred'
    says $'\u241b'
    [[ $stderr != *$'\e'* ]]
}

@test "man page is sound roff" {
    expect 0 P help --man
    [[ $output == ".TH PRESSMARK 1 "* ]]
    [[ $output == *".SH EXIT STATUS"* ]]
    if command -v groff >/dev/null; then
        warnings=$(printf '%s\n' "$output" | groff -man -Tutf8 -ww -z 2>&1)
        same "" "$warnings"
    fi
    # the paragraphs of search are whole
    [[ $output == *"What cannot be understood is taken as words."* && $output == *"ends the options."* ]]
    # every listed option of every command is there
    for c in index search batch check; do
        for o in $(P help $c | grep -o -- '^ .*--[a-z0-9-]*' | grep -o -- '--[a-z0-9-]*$'); do
            [ "$o" = --help ] || grep -q -- "${o//-/\\\\-}" <<<"$output"
        done
    done
}

# completes WORD...: what the bash script offers for the last one, a line each
completes() {
    P help --completions bash >"$BATS_TEST_TMPDIR/complete"
    bash -c '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pressmark; printf "%s\n" "${COMPREPLY[@]}"' \
        "$BATS_TEST_TMPDIR/complete" pressmark "$@"
}

@test "bash completion completes commands, options and values" {
    same search "$(completes se)"
    same --format "$(completes search --fo)"
    same $'json\njsonl' "$(completes search --format = j)"
    same $'text\njson\njsonl\ntsv\ntrec\nids' "$(completes search --format =)"
    same yes "$(completes index --positions y)"
    same "" "$(completes search --limit '')"
    same $'--completions' "$(completes help --c)"
    same $'bash\nzsh' "$(completes help --completions '')"
}

@test "bash completion: the second words of each family, and their options" {
    same $'search\nprotocol\nindex' "$(completes bench '')"
    same $'start\nstop\nstatus' "$(completes shard '')"
    same $'start\nstop\nstatus' "$(completes help shard st)"
    same protocol "$(completes bench pro)"
    same "" "$(completes bench st)"
    same --queries "$(completes bench search --que)"
    same $'--port' "$(completes shard start --p)"
    same "" "$(completes shard status --p)"
    same "" "$(completes help bench search --q)"
}

@test "bash completion: what every command takes is offered for each, once" {
    for c in index search show batch delete optimize stats check dump analyze "bench search" "bench protocol" \
        "bench index" "shard start" "shard stop" "shard status"; do
        same --quiet "$(completes $c --qui)"
        same --color "$(completes $c --col)"
        same $'always\nauto' "$(completes $c --color a | sort)"
    done
}

@test "bash completion: files and folders, also with blanks in their names" {
    cd "$BATS_TEST_TMPDIR"; mkdir work; cd work
    mkdir "my dir"; touch "my file" 'm*' "it's"
    same $'m*\nmy dir\nmy file' "$(completes batch m | sort)"
    same "my file" "$(completes batch 'my\ f')"
    same "my file" "$(completes batch '"my f')"
    same "it's" "$(completes batch "it\\'")"
    same "my dir" "$(completes search -i m)"
    same "my dir" "$(completes search --index = m)"
    same "my dir" "$(completes shard start '')"
    same "" "$(completes stats m)" # takes no words
}

@test "zsh completion names every command" {
    expect 0 P help --completions zsh
    for c in index search show batch delete optimize stats check dump analyze; do
        grep -q "^    '$c')" <<<"$output"
    done
    grep -q "^    shard) seconds='start stop status' ;;" <<<"$output"
    grep -q "^    'shard start')" <<<"$output"
    same 16 "$(grep -c -e ' .--color=\[' <<<"$output")"
    same 16 "$(grep -c -e '--quiet' <<<"$output")"
    if command -v zsh >/dev/null; then zsh -n <(printf '%s\n' "$output"); fi
    expect 2 P help --completions fish; says "bash or zsh"
    expect 2 P help --completions; says "bash or zsh"
}
