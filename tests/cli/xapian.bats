# The engine xapian: every command on such an index, and what only it has.
load helper

setup() {
    allow_xapian
    cd "$BATS_TEST_TMPDIR" || exit
    N=$BATS_TEST_TMPDIR/n.idx X=$BATS_TEST_TMPDIR/x.idx
}

make_both() {
    P index -q -i "$N" "$ARTICLES"
    P index -q -i "$X" --engine xapian "$@" "$ARTICLES"
}

# Standard output contains the word.
prints() { [[ $output == *"$1"* ]] || { echo "no '$1' in: $output"; return 1; }; }

# Ids and scores to six digits, one a line.
list() { P search --format tsv "$@" | awk -F'\t' '{printf "%s %.6f\n", $2, $3}'; }

@test "searches answer as the native engine does" {
    make_both
    for q in 'rare earth export controls' 'title:trump US' 'tik tok' '(apec OR tiktok) -japan' \
        '+china visit^2' 'U.S. "state visit"' 'date:2025-09..2025-12' 'xi NOT apec' 'zymurgy'; do
        for m in auto all any; do
            same "$(list -i "$N" --match $m -- "$q" | sed '/state/d')" "$(list -i "$X" --match $m -- "$q")" ||
                [[ $q = *state* ]]
            same "$(P search -i "$N" --match $m --count -- "$q")" "$(P search -i "$X" --match $m --count -- "$q")"
        done
    done
    same "$(P search -i "$N" --json 'rare earth' | jq -c '.hits[] | del(.score)')" \
        "$(P search -i "$X" --json 'rare earth' | jq -c '.hits[] | del(.score)')"
    same "$(P search -i "$N" --offset 1 -k 2 --format ids trump)" "$(P search -i "$X" --offset 1 -k 2 --format ids trump)"
}

@test "a phrase adds to scores only where it stands" {
    i=0
    for t in 'x b' 'c a x x' 'a b b b' b 'x b x c b' 'b a a a b'; do
        echo "{\"id\":\"$((++i))\",\"text\":\"$t\"}"
    done > docs.jsonl
    P index -q -i "$X" --engine xapian --lang none docs.jsonl
    for q in '+x a "b c"' 'x OR (a "b c")' '+x a "b c" "c b"~1'; do
        P search -i "$X" --match any --json --explain -- "$q" > all.json
        same 0 "$(jq '[.hits[] | .score - ([.explain[].contribution] | add) | fabs | select(. > 1e-9)] | length' all.json)"
        # no total is asked for, so that Xapian may leave out what cannot be among the first
        for k in 1 2 3; do
            same "$(jq -r ".hits[:$k][].id" all.json)" \
                "$(echo "$q" | P batch -i "$X" -k $k --match any - | cut -d' ' -f3)"
        done
    done
}

@test "articles that tie stand in order of ingest, whichever shard sums their scores" {
    texts=('b c c' 'a a a d c d c b' 'b a d b d c b')
    for i in 1 2 3 4 5 6 7 8; do echo "{\"id\":\"$i\",\"text\":\"${texts[i % 3]}\"}"; done > docs.jsonl
    P index -q -i "$N" --lang none docs.jsonl
    P index -q -i "$X" --engine xapian --shards 2 --lang none docs.jsonl
    same "$(P search -i "$N" --match any --format ids a b c d)" "$(P search -i "$X" --match any --format ids a b c d)"
}

@test "an index knows its engine; contradictions are usage errors" {
    make_both
    expect 0 P index -q -i "$X" "$ARTICLES"
    expect 2 P index -i "$X" --engine native "$ARTICLES"; says "made by engine xapian, not native"
    expect 2 P index -i "$N" --engine xapian "$ARTICLES"; says "made by engine native, not xapian"
    expect 2 P index -i "$X" --lang de "$ARTICLES"; says "in language english, not german"
    expect 2 P index -i "$X" --small "$ARTICLES"; says "--small"
    expect 2 P index -i "$X" --shards 3 "$ARTICLES"; says "has 1 shards, not 3"
    expect 2 P index -i y.idx --shards 3 "$ARTICLES"; says "engine xapian"
    expect 2 P index -i y.idx --engine lucene "$ARTICLES"
    expect 2 P optimize -i "$X" --reorder bp; says "order of ingest"
    same xapian "$(P stats -i "$X" --json | jq -r .engine)"
    [ ! -e y.idx ]
}

@test "dumps say the same but for the engine and the surface forms" {
    make_both --shards 3
    same "$(P dump -i "$N" | sed '/^form /d; /^setting engine/d')" "$(P dump -i "$X" | sed '/^setting engine/d')"
}

@test "update, delete, show, stats, batch, prune" {
    make_both
    expect 1 P delete -i "$X" 003_49c9dfdcf3ca4ea9.txt nope; mentions "no article 'nope'"
    expect 1 P show -i "$X" 003_49c9dfdcf3ca4ea9.txt
    expect 0 P index --json -i "$X" "$ARTICLES"; same "1 4 null" "$(jq -r '"\(.added) \(.unchanged) \(.temp_bytes)"' <<<"$output")"
    same "$(P show -i "$N" 003_49c9dfdcf3ca4ea9.txt)" "$(P show -i "$X" 003_49c9dfdcf3ca4ea9.txt)"
    for key in documents terms postings positions tokens avgdl; do
        same "$(P stats -i "$N" --json | jq ".$key")" "$(P stats -i "$X" --json | jq ".$key")"
    done
    local stats; stats=$(P stats -i "$X" --json)
    same "$(jq .index_bytes <<<"$stats")" "$(jq '[.sections[]] | add' <<<"$stats")"
    printf 'trump xi\ntiktok deal\nzymurgy\n' >q
    same "$(P batch -i "$N" --format tsv q | cut -f1-3)" "$(P batch -i "$X" --threads 2 --format tsv q | cut -f1-3)"
    mkdir in; echo "one story" >in/a.txt; echo "two story" >in/b.txt
    P index -q -i y.idx --engine xapian in; rm in/b.txt
    expect 0 P index -i y.idx --prune --json in; same 1 "$(jq .deleted <<<"$output")"
    same a.txt "$(P search -i y.idx story --format ids)"
    expect 0 P optimize -q -i y.idx
    expect 0 P check --deep -i y.idx
}

@test "ties stand in order of ingest, also after an update and over shards" {
    for i in a b c d e f g h; do echo "{\"id\":\"$i\",\"text\":\"same words\"}"; done >d.jsonl
    P index -q -i "$X" --engine xapian --shards 4 d.jsonl
    same "a b c d e f g h" "$(P search -i "$X" -k 20 --format ids same | paste -sd' ')"
    echo '{"id":"c","text":"same  words"}' | P index -q -i "$X" -
    same "a b d e f g h c" "$(P search -i "$X" -k 20 --format ids same | paste -sd' ')"
}

@test "explanations sum to the score" {
    make_both
    for w in native xapian; do
        P search -i "$X" --weight $w --explain --json 'trump US "state visit" title:xi' |
            jq -e '.hits[] | ([.explain[].contribution] | add) - .score | fabs < 1e-9' >/dev/null
    done
    same "" "$(P search -i "$X" --json trump | jq -r '.interpreted | select(contains("["))')"
    expect 0 P search -i "$X" --weight xapian --json trump; prints "Xapian's BM25Weight"
    expect 0 P search -i "$X" --json '"state visit"'; prints "phrases score by their words"
    expect 2 P search -i "$N" --weight xapian trump; says "native index"
}

@test "without positions phrases are words; without stored text snippets come from files" {
    P index -q -i "$X" --engine xapian --positions=no --store=no "$ARTICLES"
    P index -q -i "$N" --positions=no --store=no "$ARTICLES"
    same "$(list -i "$N" '"state visit" title:xi US')" "$(list -i "$X" '"state visit" title:xi US')"
    same "$(P search -i "$N" --json tiktok | jq -c '[.hits[].snippet]')" "$(P search -i "$X" --json tiktok | jq -c '[.hits[].snippet]')"
    expect 2 P index -i "$X" --positions=yes "$ARTICLES"
}

@test "long words and long ids are found" {
    local long; long=$(printf 'x%.0s' {1..250})
    local id; id=$(printf 'i%.0s' {1..1000})
    printf '{"id":"%s","text":"%s tail"}\n{"id":"%s2","text":"other"}\n' "$id" "$long" "$id" | P index -q -i "$X" --engine xapian -
    same 1 "$(P search -i "$X" --count "$long")"
    expect 0 P show -i "$X" "${id}2"; prints other
    expect 0 P delete -i "$X" "$id"
    same 1 "$(P stats -i "$X" --json | jq .documents)"
    expect 0 P check --deep -i "$X"
}

@test "keys of every length about the cut are found: words, titles, fields, ids, explanations" {
    local n long
    for n in $(seq 225 250); do
        long=$(printf "%0${n}d" 0 | tr 0 x)
        printf '{"id":"%s","title":"y%s","text":"%s tail","author":"z%s"}\n' "$long" "$long" "$long" "$long"
    done >d.jsonl
    P index -q -i "$X" --engine xapian d.jsonl
    for n in $(seq 225 250); do
        long=$(printf "%0${n}d" 0 | tr 0 x)
        same "1 1 1" "$(P search -i "$X" --count "$long") $(P search -i "$X" --count "title:y$long") $(P search -i "$X" --count "author:z$long")"
        same true "$(P search -i "$X" --explain --json "$long title:y$long" | jq '.hits[0] | ([.explain[].contribution] | add) == .score')"
    done
}

@test "a writer holds the index: exit 7, and readers see the last commit" {
    make_both
    mkfifo pipe
    "$PRESSMARK" index -q -i "$X" - <pipe & local writer=$!
    exec 9>pipe
    echo '{"id":"new","text":"tiktok"}' >&9
    await_lock $writer
    expect 7 P index -i "$X" "$ARTICLES"; says "another writer"
    expect 1 P show -i "$X" new
    exec 9>&-
    wait $writer
    expect 0 P show -i "$X" new
}

@test "damage: exit 4, and check names the database" {
    make_both
    printf 'garbage' | dd of="$X/shard-0/postlist.glass" bs=1 seek=5 conv=notrunc status=none
    expect 4 P check -i "$X"; mentions "shard-0"; prints "damaged"
    rm "$X/shard-0/iamglass"
    expect 4 P search -i "$X" trump; says "shard-0"
    echo 'pressmark xapian 1' >"$X/xapian"
    expect 4 P search -i "$X" trump; says "marker"
    expect 4 P check -i "$X"; same 1 "$(grep -o damaged <<<"$stderr" | wc -l)"
    printf 'pressmark xapian 9\nshards 1\n' >"$X/xapian"
    expect 2 P search -i "$X" trump; says "later version"
}

@test "a table or a database that is lost: damage, found without --deep, too" {
    P index -q -i "$X" --engine xapian --shards 2 "$ARTICLES"
    for lost in position.glass termlist.glass docdata.glass postlist.glass iamglass; do
        rm -rf y.idx; cp -r "$X" y.idx; rm y.idx/shard-1/$lost
        for deep in "" --deep; do expect 4 P check $deep -i y.idx; mentions "y.idx/shard-1: damaged"; done
    done
    expect 4 P search -i y.idx trump; says "shard-1"
    expect 4 P index -q -i y.idx "$ARTICLES"; says "shard-1"
    rm -rf y.idx; cp -r "$X" y.idx; truncate -s 8192 y.idx/shard-1/postlist.glass
    expect 4 P search -i y.idx trump; says "EOF"
    expect 4 P check -i y.idx
    rm -r y.idx/shard-1
    expect 4 P search -i y.idx trump; says "shard-1"
    expect 4 P index -q -i y.idx "$ARTICLES"; says "shard-1"
    expect 4 P check -i y.idx; mentions "the database is missing"
    expect 4 P check --deep -i y.idx
}

@test "a table of positions of another database: --deep finds it" {
    echo '{"id":"a","text":"one two three four"}' | P index -q -i y.idx --engine xapian -
    echo '{"id":"a","text":"one two three five"}' | P index -q -i "$X" --engine xapian -
    cp y.idx/shard-0/position.glass "$X/shard-0/"
    expect 4 P check --deep -i "$X"; mentions "do not make up its length"
}

@test "a plugin that is missing or strange is said, and natives do without" {
    make_both
    mkdir plugins
    export PRESSMARK_PLUGINS=$PWD/plugins
    expect 2 P search -i "$X" trump; says "xapian"
    expect 0 P search -i "$N" trump
    ! is_static || cp "$BUILD/pressmark-dynamic" plugins/
    expect 2 P search -i "$X" trump; says "pressmark-xapian.so"
    echo 'no library' >plugins/pressmark-xapian.so
    expect 2 P search -i "$X" trump; says "pressmark-xapian.so"
    [[ $stderr != *"not found"* && $stderr == *"pressmark-xapian.so: "*"plugins/pressmark-xapian.so: "* ]]
    rm plugins/pressmark-xapian.so; ln -s "$BUILD/pressmark-xapian.so" plugins/
    expect 0 P search -i "$X" trump
}

@test "called by its name through PATH, it finds its plugin, and not that of the folder at hand" {
    make_both
    echo 'no library' >pressmark-xapian.so
    mkdir -p pressmark; cp pressmark-xapian.so pressmark/
    export PATH=$BUILD:$PATH
    expect 0 pressmark search -i "$X" trump
    is_static || [ "$PRESSMARK" = "$BUILD/pressmark" ]
}

@test "the program that people start links neither libstdc++ nor Xapian, and reads nothing before it hands over" {
    ! ldd "$PRESSMARK" 2>/dev/null | grep -E 'stdc|xapian'
    ! ldd "$BUILD/libpressmark.so" | grep -E 'stdc|xapian'
    echo '{"id":"a","text":"from a pipe"}' | P index -q -i "$X" --engine xapian -
    same a "$(P search -i "$X" --format ids -- pipe -absent)"
    same a "$(PRESSMARK_INDEX=$X P search pipe --format ids)"
}

@test "readers go on while a writer commits: they reopen" {
    for i in $(seq 400); do echo "{\"id\":\"d$i\",\"text\":\"common words number$i of an article\"}"; done >d.jsonl
    head -50 d.jsonl | P index -q -i "$X" --engine xapian -
    for i in $(seq 3000); do echo "common number$((i % 50 + 1))"; done >q
    P index -q -i "$X" --commit-every 1 d.jsonl & local writer=$!
    P batch -i "$X" --threads 2 --format jsonl -k 3 q >out
    wait $writer
    same 3000 "$(wc -l <out)"
    same "true" "$(jq -s 'all(.[]; .total.value >= 50)' out)"
    same 400 "$(P stats -i "$X" --json | jq .documents)"
}

@test "a file called xapian makes no index: articles beside it are read, a native index stays one" {
    mkdir -p in/sub; cp "$ARTICLES"/*.txt in/sub/; echo 'an article about search engines' >in/sub/xapian
    P index -q -i "$N" in
    same 6 "$(P stats -i "$N" --json | jq .documents)"
    expect 0 P index --prune --json -i "$N" in; same 0 "$(jq .deleted <<<"$output")"
    echo stray >"$N/xapian"
    expect 0 P index -q -i "$N" in
    expect 0 P search -i "$N" trump
    expect 0 P check -i "$N"
    mkdir -p "$N/shard-0"; touch "$N/shard-0/iamglass"
    expect 0 P check -i "$N"
    expect 2 P index -q -i in/sub --engine xapian "$ARTICLES"; says "not of an index"
    same 'an article about search engines' "$(cat in/sub/xapian)"
    P index -q -i in/x.idx --engine xapian in/sub
    expect 0 P index --json -i "$N" in; same 6 "$(jq .unchanged <<<"$output")"
    echo damaged >in/x.idx/xapian
    expect 0 P index --json -i "$N" in; same 6 "$(jq .unchanged <<<"$output")"
    expect 4 P search -i in/x.idx trump; says "marker"
}

@test "a marker that was lost: databases with articles are not made anew" {
    make_both --shards 2
    mv "$X/xapian" kept
    expect 4 P index -q -i "$X" --engine xapian "$ARTICLES"; says "marker" "is missing" "put it back"
    expect 4 P index -q -i "$X" --engine xapian --shards 3 "$ARTICLES"
    for command in "index -q" "delete" "search" "show"; do # nor are they hidden by a native index
        expect 4 P $command -i "$X" "$ARTICLES"; says "marker" "is missing" "put it back"
    done
    for command in optimize check stats dump; do
        expect 4 P $command -i "$X"; says "marker" "is missing" "put it back"
    done
    same "LOCK shard-0 shard-1" "$(ls "$X" | paste -sd' ')"
    mv "$X/LOCK" lock # databases that may be somebody else's
    expect 2 P index -q -i "$X" --engine xapian "$ARTICLES"; says "a database with articles"
    mv lock "$X/LOCK"; mv kept "$X/xapian"
    same 5 "$(P stats -i "$X" --json | jq .documents)"
    expect 0 P check --deep -i "$X"
}

@test "a first run that fails leaves nothing, one that is killed what the next makes anew and nobody reads" {
    for i in $(seq 2000); do echo "{\"id\":\"n$i\",\"text\":\"more and more words $i $((i * 7919)) of text\"}"; done >d.jsonl
    run --separate-stderr bash -c "ulimit -f 100; '$PRESSMARK' index -q --engine xapian --shards 3 -i y.idx d.jsonl"
    same "5 LOCK" "$status $(ls y.idx)"
    mkdir in; cp "$ARTICLES"/*.txt in; mkfifo pipe
    "$PRESSMARK" index -q --engine xapian --shards 2 -i in/x.idx - <pipe 3>&- & local writer=$!
    exec 9>pipe
    await_lock $writer
    for _ in $(seq 100); do [ ! -e in/x.idx/shard-1/iamglass ] || break; sleep 0.05; done
    kill -KILL $writer; exec 9>&-; wait $writer || true
    P index -q -i "$N" in
    same 5 "$(P stats -i "$N" --json | jq .documents)"
    expect 0 P index -q --engine xapian -i in/x.idx in
    same 5 "$(P stats -i in/x.idx --json | jq .documents)"
    [ ! -e in/x.idx/xapian.tmp ]
    mkdir begun; cp -r in/x.idx/shard-0 begun/shard-0; cp -r begun/shard-0 begun/shard-1; touch begun/xapian.tmp
    expect 0 P index -q --engine xapian -i begun in # of fewer databases than the run that was killed
    same "LOCK shard-0 xapian" "$(ls begun | paste -sd' ')"
}

@test "a file that cannot grow: exit 5, and the last commit stands" {
    make_both
    for i in $(seq 2000); do echo "{\"id\":\"n$i\",\"text\":\"more and more words $i $((i * 7919)) of text\"}"; done >d.jsonl
    run --separate-stderr bash -c "ulimit -f 100; '$PRESSMARK' index -q -i '$X' d.jsonl"
    same 5 "$status"
    [[ $stderr == "pressmark: "*"$X"* ]]
    same "$(list -i "$N" trump)" "$(list -i "$X" trump)"
    expect 0 P check --deep -i "$X"
    expect 0 P index -q -i "$X" d.jsonl
    same 2005 "$(P stats -i "$X" --json | jq .documents)"
}

# more N: N articles as JSON Lines, with words that repeat.
more() { awk -v n="$1" 'BEGIN { srand(5); for (i = 0; i < n; i++) { t = ""
    for (j = 0; j < 60; j++) t = t " w" int(3000 * rand() * rand()) "x"
    printf "{\"id\":\"n%d\",\"title\":\"talks %d\",\"text\":\"common%s\"}\n", i, i % 50, t } }'; }

# with_updates SHARDS: an index of 600 articles of which most were replaced and some are deleted.
with_updates() {
    more 600 >d.jsonl
    P index -q -i "$X" --engine xapian --shards "$1" d.jsonl
    sed 's/ w1x/ v1x/g; s/common/common new/' d.jsonl | P index -q -i "$X" -
    P delete -q -i "$X" n3 n5 n7
}
bytes() { P stats -i "$X" --json | jq .index_bytes; }
# All that an index answers with.
content() { P dump -i "$X"; P search -i "$X" --format tsv -k 700 -- w1x w20x title:talks; P show -i "$X" n9; }

@test "optimize: a smaller index with the same answers, and the writers that follow" {
    for shards in 1 3; do
        rm -rf "$X"; with_updates $shards
        local before small; before=$(content) small=$(bytes)
        expect 0 P optimize -i "$X"; mentions freed
        [[ $stderr != *"temporary disk"* ]] # which is not counted there
        [ "$(bytes)" -lt $((small * 3 / 4)) ]
        same "$before" "$(content)"
        expect 1 P show -i "$X" n3
        expect 0 P check --deep -i "$X"
        small=$(bytes)
        expect 0 P optimize -i "$X"; mentions "0 B freed"
        same "$small" "$(bytes)"
        same "$before" "$(content)"
        echo '{"id":"late","text":"common late"}' | P index -q -i "$X" -
        same 598 "$(P stats -i "$X" --json | jq .documents)"
        expect 0 P check --deep -i "$X"
        expect 2 P optimize -i "$X" --reorder=bp; says "cannot be reordered"
        [ -z "$(ls -d "$X"/*.new 2>/dev/null)" ]
    done
}

@test "optimize: a table that could not be opened is not taken for one that was never needed" {
    make_both
    local n=0 refused=0 before; before=$(P dump -i "$X")
    cp -r "$X" kept
    while n=$((n + 1)); rm -f "$BATS_TEST_TMPDIR/struck"; do
        run --separate-stderr with_fault open:$n:5 "$PRESSMARK" optimize -q -i "$X"
        [ -e "$BATS_TEST_TMPDIR/struck" ] || break
        [ "$status" -eq 0 ] || { same 5 "$status"; refused=$((refused + 1)); }
        same "$before" "$(P dump -i "$X")"
        expect 0 P check --deep -i "$X"
    done
    echo "$((n - 1)) tables not opened, $refused refused"
    [ $n -gt 8 ] && [ $refused -gt 4 ]
    for table in docdata termlist position; do
        rm -rf "$X"; cp -r kept "$X"; rm "$X/shard-0/$table.glass"
        expect 4 P optimize -i "$X"; mentions "$table"
    done
}

@test "optimize killed and interrupted in the middle: the index is whole, and nothing is left over" {
    with_updates 8
    local before code stopped=0 wait; before=$(content)
    for signal in KILL INT; do
        for i in $(seq 8); do
            "$PRESSMARK" optimize -q -i "$X" 2>err 3>&- & local optimizer=$!
            wait=0.0$((RANDOM % 9)); sleep "$wait"
            kill -$signal $optimizer 2>/dev/null || true
            wait $optimizer && code=0 || code=$?
            [ $code -eq 0 ] || stopped=$((stopped + 1))
            [ $signal = KILL ] || [ $code -eq 0 ] || grep -q 'as it was' err || [ ! -s err ]
            same "$before" "$(content)"
            expect 0 P check -i "$X"
        done
    done
    echo "$stopped of 16 were stopped"
    expect 0 P delete -i "$X" n8
    [ -z "$(ls -d "$X"/*.new 2>/dev/null)" ]
    expect 0 P check --deep -i "$X"
}

@test "readers go on while databases are replaced" {
    with_updates 2
    for i in $(seq 1000); do echo "common w$((i % 50))x"; done >q
    P batch -i "$X" --threads 2 --format jsonl -k 3 q >out & local reader=$!
    for _ in 1 2 3; do P optimize -q -i "$X"; same 597 "$(P search -i "$X" --count common)"; done
    wait $reader
    same "1000 true" "$(jq -s -r '"\(length) \(all(.[]; .total.value == 597))"' out)"
}

@test "a check beside a writer that commits is no damage" {
    more 2000 >d.jsonl
    P index -q -i "$X" --engine xapian d.jsonl
    # Bursts of three commits, each of which overwrites what the one before its last had.
    for _ in $(seq 60); do
        [ ! -e stop ] || break
        sed "s/common/common r$RANDOM/" d.jsonl | awk 'NR % 40 == 0' | P index -q -i "$X" --commit-every 17 - || break
        sleep 0.2
    done 3>&- & local writer=$! deep
    for i in $(seq 30); do
        [ $((i % 2)) = 0 ] && deep=--deep || deep=
        # A machine that does much else may find commits too fast for it (exit 5); damage it is never.
        run --separate-stderr P check $deep -i "$X"
        [ "$status" = 0 ] || { [ "$status" = 5 ] && says "commits come faster"; }
    done
    touch stop; wait $writer
    same 2000 "$(P check -i "$X" --json | jq .documents)"
}

@test "memory is kept, and what is flushed for that stays invisible until the commit" {
    more 40 | P index -q -i "$X" --engine xapian -
    mkfifo pipe
    "$PRESSMARK" index --json -i "$X" --memory 4M - <pipe >out 3>&- & local writer=$!
    exec 9>pipe
    more 4000 | sed 's/"n/"m/' >&9
    same "40 40" "$(P search -i "$X" --count common) $(P stats -i "$X" --json | jq .documents)"
    kill -KILL $writer; exec 9>&-
    wait $writer || true
    same 40 "$(P search -i "$X" --count common)"
    expect 0 P check --deep -i "$X"
    more 12000 | P index --json -i "$X" --memory 4M - >out
    is_asan || [ "$(jq .peak_rss_bytes out)" -le $((68 << 20)) ]
    same 12000 "$(P search -i "$X" --count common)"
    expect 0 P check --deep -i "$X"
    mkdir in; more 16000 >in/a.jsonl; P index -q -i y.idx --engine xapian in
    more 1 >in/a.jsonl; P index --json --prune -i y.idx --memory 4M in >out
    same 15999 "$(jq .deleted out)"
    is_asan || [ "$(jq .peak_rss_bytes out)" -le $((68 << 20)) ]
    expect 0 P check --deep -i y.idx
}
