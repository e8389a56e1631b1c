# index, delete, optimize, check, stats: what changes an index, and what it says.
load helper

setup() {
    cd "$BATS_TEST_TMPDIR" || exit
    X=$BATS_TEST_TMPDIR/x.idx
}

docs() { printf '%s\n' '{"id":"a","title":"Apples","text":"red apples and pears"}' \
    '{"id":"b","title":"Pears","text":"green pears","date":"2025-03-04","source":"Daily"}' \
    '{"id":"c","text":""}'; }

ids() { P search -i "$X" -k 100 --format ids "$@" | sort | tr '\n' ' '; }

@test "five articles: summary on stderr, nothing on stdout" {
    expect 0 P index -i "$X" "$ARTICLES"
    [ -z "$output" ]
    mentions "5 added, 0 updated, 0 unchanged" "MB/s" "peak memory" "temporary disk 0 B" "$X"
    expect 0 P index -q -i "$X" "$ARTICLES"
    [ -z "$output$stderr" ]
}

@test "--json has the promised keys, as numbers" {
    expect 0 P index -i "$X" --json "$ARTICLES"
    [ -z "$stderr" ]
    same "5 0 0 true" "$(jq -r '"\(.added) \(.updated) \(.skipped) \([.text_bytes, .seconds,
        .peak_rss_bytes, .index_bytes] | all(type == "number" and . > 0))"' <<<"$output")"
    on_disk=$(cat "$X"/* | wc -c)
    [ "$(jq .index_bytes <<<"$output")" -le "$on_disk" ]
}

@test "indexing twice changes nothing" {
    make_five "$X"
    before=$(P dump -i "$X" | cksum)
    expect 0 P index -i "$X" --json "$ARTICLES"
    same "0 0 5 5 0" "$(jq -r '"\(.added) \(.updated) \(.unchanged) \(.skipped) \(.refused)"' <<<"$output")"
    same "$before" "$(P dump -i "$X" | cksum)"
    same 5 "$(P stats -i "$X" --json | jq .documents)"
}

@test "ids are paths relative to PATH; a file has its base name" {
    mkdir -p in/sub
    echo "Alpha story" > in/one.txt; echo "Beta story" > in/sub/two.txt
    P index -q -i "$X" in
    same "one.txt sub/two.txt " "$(ids story)"
    P index -q -i y.idx in/sub/two.txt
    same "two.txt" "$(P search -i y.idx story --format ids)"
}

@test "a changed file is updated, a new one added" {
    mkdir in
    echo "Old words here" > in/a.txt; echo "Stable text" > in/b.txt
    P index -q -i "$X" in
    echo "Fresh words there, longer" > in/a.txt; echo "Third" > in/c.txt
    expect 0 P index -i "$X" --json in
    same "1 1 1" "$(jq -r '"\(.added) \(.updated) \(.unchanged)"' <<<"$output")"
    expect 1 P search -i "$X" old --format ids
    same "a.txt" "$(P search -i "$X" fresh --format ids)"
    same 3 "$(P stats -i "$X" --json | jq .documents)"
}

@test "--prune deletes articles whose files are gone" {
    mkdir in
    echo "one story" > in/a.txt; echo "two story" > in/b.txt
    P index -q -i "$X" in
    rm in/b.txt
    P index -q -i "$X" in
    same "a.txt b.txt " "$(ids story)"
    expect 0 P index -i "$X" --prune --json in
    same 1 "$(jq .deleted <<<"$output")"
    same "a.txt " "$(ids story)"
}

@test "--prune deletes what was added by a PATH below or above" {
    allow_xapian
    for engine in native xapian; do
        rm -rf in; mkdir -p in/sub/deep
        echo "one story" >in/sub/a.txt; echo "two story" >in/sub/deep/b.txt; echo "three story" >in/c.txt
        X=$engine.idx
        P index -q -i "$X" --engine $engine in/sub
        rm in/sub/a.txt
        expect 0 P index -i "$X" --prune --json in; same "2 1" "$(jq -r '"\(.added) \(.deleted)"' <<<"$output")"
        same "c.txt deep/b.txt sub/deep/b.txt " "$(ids story)"
        rm in/sub/deep/b.txt in/c.txt
        expect 0 P index -i "$X" --prune --json in/sub/deep; same 2 "$(jq -r .deleted <<<"$output")"
        same "c.txt " "$(ids story)"
    done
}

@test "unchanged lines of JSON Lines are skipped; the index stays as it is, to the byte" {
    docs > d.jsonl
    P index -q -i "$X" d.jsonl
    before=$(ls "$X"; cat "$X"/* | cksum)
    expect 0 P index -i "$X" --json d.jsonl
    same "0 0 3" "$(jq -r '"\(.added) \(.updated) \(.unchanged)"' <<<"$output")"
    same "$before" "$(ls "$X"; cat "$X"/* | cksum)"
    { docs | sed s/pears/plums/g; echo '{"id":"d","text":"plums"}'; } > d.jsonl
    expect 0 P index -i "$X" --json d.jsonl
    same "1 2 1" "$(jq -r '"\(.added) \(.updated) \(.unchanged)"' <<<"$output")"
    same "a b d " "$(ids plums)"
}

@test "--prune deletes articles of lines and JSON Lines files that are gone" {
    mkdir in; docs > in/d.jsonl; echo '{"id":"z","text":"late pears"}' > in/z.jsonl
    P index -q -i "$X" in
    sed -i /Apples/d in/d.jsonl; rm in/z.jsonl
    P index -q -i "$X" in
    same "a b z " "$(ids pears)"
    expect 0 P index -i "$X" --prune --json in
    same 2 "$(jq .deleted <<<"$output")"
    same "b " "$(ids pears)"
}

@test "--store=no: snippets and texts from unchanged files, else empty with one warning" {
    mkdir in; printf 'A title here\n\nGreen pears and plums.\n' > in/a.txt
    docs | sed s/\"a\"/\"j\"/ > d.jsonl
    P index -q -i "$X" --store=no in
    expect 0 P search -i "$X" --json plums
    [ -z "$stderr" ]
    mentions_plums=$(jq -r '.hits[0].snippet' <<<"$output"); [[ $mentions_plums == *"Green pears and plums."* ]]
    expect 0 P show -i "$X" a.txt
    [[ $output == *"Green pears and plums."* && -z $stderr ]]
    (cd / && P search -i "$X" plums) | grep -q "Green pears"
    expect 0 P check -i "$X"
    P index -q -i "$X" d.jsonl
    expect 0 P search -i "$X" --json pears
    says "warning" "snippets are empty" "2 hits"
    same 3 "$(jq '.hits | length' <<<"$output")"
    expect 0 P search -i "$X" --snippets=no pears; [ -z "$stderr" ]
    cp -p in/a.txt kept; sed -i s/Green/Brown/ in/a.txt
    touch -r kept in/a.txt                          # other bytes, of the same size and time
    expect 0 P search -i "$X" --json plums; says "warning" "1 hits" "has changed"
    cp kept in/a.txt; touch -d 2001-01-01 in/a.txt  # another time, the same bytes
    expect 0 P search -i "$X" --json plums; [ -z "$stderr" ]
    [[ $(jq -r '.hits[0].snippet' <<<"$output") == *"Green pears and plums."* ]]
    sed -i s/Green/Brown/ in/a.txt                  # other bytes, of the same size
    expect 0 P search -i "$X" --json plums; says "warning" "1 hits" "has changed"
    same "" "$(jq -r '.hits[0].snippet' <<<"$output")"
    expect 0 P show -i "$X" a.txt; says "warning" "a.txt"
    P optimize -q -i "$X" || P optimize -i "$X"
    touch -r d.jsonl in/a.txt
    expect 0 P check -i "$X"
}

@test "JSON Lines on standard input, gzip, .ndjson" {
    docs | P index -q -i "$X" -
    same "a b " "$(ids pears)"
    same 3 "$(P stats -i "$X" --json | jq .documents)"
    docs > in.ndjson; docs | gzip > in2.jsonl.gz
    P index -q -i y.idx in.ndjson; same 3 "$(P stats -i y.idx --json | jq .documents)"
    P index -q -i z.idx in2.jsonl.gz; same 3 "$(P stats -i z.idx --json | jq .documents)"
}

@test "an id met twice: the later wins, one warning, exit 3" {
    printf '%s\n' '{"id":"a","text":"first version"}' '{"id":"a","text":"second version"}' > d.jsonl
    expect 3 P index -q -i "$X" d.jsonl
    mentions "warning: d.jsonl:2" "met twice" "the rest is committed"
    expect 1 P search -i "$X" first
    expect 0 P search -i "$X" second
}

@test "an id left as it is and then replaced by another folder's file is updated, not unchanged" {
    allow_xapian
    mkdir A B
    echo "one story" >A/x.txt; echo "two story" >B/x.txt; echo "three" >A/y.txt
    for engine in native xapian; do
        expect 0 P index -q -i $engine.idx --engine $engine A
        expect 3 P index -i $engine.idx --json A B
        same '{"added":0,"updated":1,"unchanged":1,"duplicates":1}' "$(jq -c '{added,updated,unchanged,duplicates}' <<<"$output")"
        same two "$(P show -i $engine.idx x.txt | grep -o two)"
    done
}

@test "a bad line is skipped, the rest is committed, exit 3" {
    { docs; echo '{"id":"broken'; echo '{"id":"z","text":"last pears"}'; } > d.jsonl
    expect 3 P index --json -i "$X" d.jsonl
    mentions "d.jsonl:4" "skipped"
    same 1 "$(jq .skipped <<<"$output")"
    same "a b z " "$(ids pears)"
}

@test "FIFO and unreadable inputs are skipped with a warning, never waited for" {
    mkdir in; mkfifo in/pipe.txt; echo "good story" > in/good.txt
    expect 3 timeout 10 "$PRESSMARK" index -q -i "$X" in
    mentions "in/pipe.txt" "skipped"
    same "good.txt " "$(ids story)"
}

@test "a PATH that is not there: exit 2 before anything is written" {
    mkdir in; echo story > in/a.txt
    expect 2 P index -i "$X" in missing
    says "missing" "no such file"
    expect 5 P index -q -i none/x.idx "$ARTICLES"
    says "cannot make folder none/x.idx; make the one above it first"
    ln -s nowhere link
    expect 5 P index -q -i link "$ARTICLES"
    says "cannot make folder link; make the one that this link names: No such file or directory"
    [ ! -e "$X" ]
}

@test "options that contradict the index: exit 2" {
    docs | P index -q -i "$X" -
    docs > d.jsonl
    expect 2 P index -i "$X" --lang de d.jsonl; says "lang"
    expect 2 P index -i "$X" --positions=no d.jsonl; says "positions"
    expect 0 P index -q -i "$X" --lang en --positions=yes d.jsonl
    expect 2 P index -i "$X" --small d.jsonl; says "made without --small"
    expect 0 P index -q -i s.idx --small d.jsonl
    expect 0 P index -q -i s.idx d.jsonl
    same true "$(P stats -i s.idx --json | jq .small)"
    expect 2 P index -i y.idx --lang klingon d.jsonl; says "klingon"; [ ! -e y.idx ]
    expect 2 P index -i y.idx --encoding ebcdic d.jsonl; says "ebcdic"
}

@test "--report tells what was found by which rule" {
    expect 0 P index -q -i "$X" --report report.jsonl "$ARTICLES"
    same 5 "$(wc -l < report.jsonl)"
    same "003_49c9dfdcf3ca4ea9.txt|front-matter|2025-11-24T23:03:34|front-matter" \
        "$(jq -r 'select(.id | startswith("003")) | [.id, .title_rule, .date, .date_rule] | join("|")' report.jsonl)"
    same "null null null" "$(jq -r 'select(.id | test("^00[014]")) | .date' report.jsonl | xargs)"
    same 2025-09-19 "$(jq -r 'select(.id | startswith("002")) | .date' report.jsonl)"
    same true "$(jq -s 'all(.action == "added" and (.boilerplate | type) == "array")' report.jsonl)"
    { docs; echo nonsense; } > d.jsonl
    expect 3 P index -q -i "$X" --report report.jsonl d.jsonl
    same "4 skipped" "$(jq -r 'select(.reason) | "\(.line) \(.action)"' report.jsonl)"
    expect 5 P index -q -i "$X" --report /nowhere/report d.jsonl; says "/nowhere/report"
}

@test "--report spares what is there until the index is open, and never writes over the index or an input" {
    docs >d.jsonl; mkdir in; echo "one story" >in/a.txt
    P index -q -i "$X" d.jsonl
    echo kept >old
    expect 2 P index -q -i "$X" --lang de --report old d.jsonl
    expect 2 P index -q -i "$X" --report old d.jsonl nowhere
    same kept "$(cat old)"
    cp -r "$X" before; ln -s "$X/manifest" link
    for file in "$X/manifest" "$X/new.jsonl" ./x.idx/manifest link "$X"; do
        expect 2 P index -q -i "$X" --report "$file" d.jsonl; says "--report" "file of the index"
    done
    rm -f "$X/LOCK" before/LOCK; diff -r "$X" before
    expect 2 P index -q -i "$X" --report d.jsonl d.jsonl; says "--report: d.jsonl is to be indexed"
    expect 2 P index -q -i "$X" --report ./in/a.txt in; says "is to be indexed"
    same "one story" "$(cat in/a.txt)"
    expect 0 P index -q -i "$X" --report in/report.jsonl in
    same "added a.txt" "$(jq -r '"\(.action) \(.id)"' in/report.jsonl)"
    for again in 1 2; do
        expect 0 P index -q -i "$X" --report in/report.jsonl in
        same "unchanged a.txt" "$(jq -r 'select(.action != "warning") | "\(.action) \(.id)"' in/report.jsonl)"
        same "report.jsonl a report of an earlier run is no input" \
            "$(jq -r 'select(.action == "warning") | "\(.path | split("/") | last) \(.reason)"' in/report.jsonl)"
    done
    same "one story" "$(P show -i "$X" a.txt --json | jq -r .text)"
    expect 0 P index -q -i y.idx in/report.jsonl               # said by name, it is JSON Lines like any other
    same 2 "$(P stats -i y.idx --json | jq .documents)"
    expect 0 P index -q -i "$X" --report old in/a.txt
    same a.txt "$(jq -r .id old)"
}

@test "--report=- is standard output, pipes and devices stay what they are" {
    docs >d.jsonl
    expect 0 P index -q -i "$X" --report=- d.jsonl
    same "a b c" "$(jq -r .id <<<"$output" | xargs)"
    expect 0 P index -i "$X" --json --report - d.jsonl
    same "unchanged unchanged unchanged 3" "$(jq -r '.action // .unchanged' <<<"$output" | xargs)"
    [ ! -e - ]
    same 3 "$(P index -q -i "$X" --report >(cat) d.jsonl | wc -l)"
    expect 0 P index -q -i "$X" --report /dev/null d.jsonl
    if [ -e /dev/full ]; then
        expect 5 bash -c '"$0" index -q -i y.idx --report=- d.jsonl >/dev/full' "$PRESSMARK"; says "standard output"
        same 3 "$(P stats -i y.idx --json | jq .documents)"
    fi
    echo pears >q
    expect 2 P batch -i "$X" --timing - q; says "--timing"
}

@test "standard input is JSON Lines: another format is refused; ids that are made begin with -" {
    for format in text markdown; do
        expect 2 P index -q -i "$X" --input-format=$format - <<<'some text'; says "read as JSON Lines"
    done
    expect 0 P index -q -i "$X" --input-format=jsonl - <<<'{"text":"some text"}'
    same "-#1 " "$(ids text)"
    expect 0 P show -i "$X" -- -#1
    expect 0 P delete -i "$X" -- -#1
    for command in show delete; do [[ $(P help $command | paste -sd' ') = *"begin with '-': write '--'"* ]]; done
}

@test "odd file names are ids as they are, and shown safely" {
    mkdir in
    echo "plain story" > $'in/new\nline.txt'; echo "plain story" > $'in/esc\e[31m.txt'
    echo "plain story" > $'in/bad\xff.txt'; echo "plain story" > 'in/-dash and space.txt'
    P index -q -i "$X" in
    expect 0 P search -i "$X" story --format ids
    same 4 "$(printf '%s\n' "$output" | wc -l)"
    [[ $output == *'new\nline.txt'* ]]
    expect 0 P search -i "$X" story
    [[ $output != *$'\e'* && $output != *$'\xff'* ]]
    expect 0 P show -i "$X" -- '-dash and space.txt' $'new\nline.txt' $'esc\e[31m.txt' $'bad\xff.txt'
    [[ $output != *$'\e'* ]]
    P search -i "$X" story --json | jq -e '.hits | length == 4' >/dev/null
    same 4 "$(printf 'q\tstory\n' | P batch -i "$X" - | awk 'NF == 6' | wc -l)"
}

@test "delete: known ids go, unknown ones give exit 1" {
    docs | P index -q -i "$X" -
    expect 1 P delete -q -i "$X" a nosuch
    says "nosuch"
    same "b " "$(ids pears)"
    expect 1 P show -i "$X" a
    expect 0 P delete -i "$X" b; mentions "1 deleted"
    same 1 "$(P stats -i "$X" --json | jq .documents)"
    docs | P index -q -i "$X" -
    { P search -i "$X" pears --format ids; echo; } | P delete -q -i "$X" -    # an empty line is no id
    expect 1 P search -i "$X" pears
}

@test "search --format ids -0 and delete -0: ids with line ends and returns survive" {
    printf '%s\n' '{"id":"a\nb","text":"plum"}' '{"id":"c\r","text":"plum"}' '{"id":"d\t","text":"plum"}' \
        '{"id":"a","text":"stays"}' '{"id":"c","text":"stays"}' | P index -q -i "$X" -
    P search -i "$X" plum --format ids -0 >ids
    same "$(printf 'a\nb\0c\r\0d\t\0' | od -c)" "$(od -c <ids)"
    { printf '\0'; cat ids; printf 'c'; } | expect 0 P delete --null -q -i "$X" -    # the last may lack its end
    same a "$(P search -i "$X" stays --format ids)"
    expect 1 P search -i "$X" plum
    expect 2 P search -i "$X" -0 plum; says "--null goes with --format ids" "behind '--'"
    same "a" "$(script -qec "'$PRESSMARK' search -i '$X' stays --format ids -0" /dev/null </dev/null | tr -d '\r')"
}

@test "an article over a quarter of --memory is skipped, and one that cannot be stored: exit 3, the rest is there" {
    mkdir d; echo first >d/a.txt; echo last >d/z.txt
    head -c 17000000 /dev/zero | tr '\0' x >d/m.txt
    expect 3 P index -i "$X" --memory 64M d
    mentions "d/m.txt: skipped: longer than --memory allows, 16777216 bytes" "2 added" "1 skipped"
    expect 0 P index -i "$X" d
    mentions "1 added"
    head -c 67108864 /dev/zero | tr '\0' ' ' >d/m.txt
    expect 3 P index -i "$X" --commit-every 1 d # 64 MiB, and what a record has around them
    mentions "d/m.txt: skipped: article m.txt has 6710" "at most 67108864 can be stored"
    expect 0 P check --deep -i "$X"
}

@test "an index inside the folder is no article, neither this one nor another" {
    mkdir d; cd d; echo one >a.txt
    for i in 1 2; do
        expect 0 P index -i pressmark.idx .
        mentions "0 skipped"
    done
    expect 0 P index -i other.idx .
    same a.txt "$(P search -i other.idx one --format ids)"
    same 1 "$(P stats -i other.idx --json | jq .documents)"
}

@test "closed standard streams do not become files of the index" {
    echo one >a.txt; mkfifo f.txt
    code=0; P index -i "$X" a.txt f.txt >&- 2>&- || code=$? # whose warning went to LOCK
    same "3 51" "$code $(stat -c %s "$X/LOCK")"
    code=0; P index -i "$X" a.txt f.txt <&- >&- 2>&- || code=$?
    same "3 51" "$code $(stat -c %s "$X/LOCK")"
    grep -qxE 'index [0-9a-f]{32} has commits' "$X/LOCK"
    P check --deep -i "$X"
    code=0; P search -i "$X" one >&- || code=$?
    same 5 "$code"
    code=0; P index -q -i "$X" - <&- || code=$?
    same 3 "$code"
}

@test "check beside a writer finds nothing" {
    for i in $(seq 3000); do echo "{\"id\":\"d$i\",\"text\":\"words number$i\"}"; done >d.jsonl
    P index -q -i "$X" "$ARTICLES"
    P index -q -i "$X" --commit-every 10 d.jsonl &
    while kill -0 $! 2>/dev/null; do expect 0 P check --deep -i "$X"; done
    wait $!
}

@test "optimize --reorder: other places, same answers" {
    X=$BATS_TEST_TMPDIR/o.idx
    make_five "$X"
    before=$(P search -i "$X" --format tsv --match any the trade china) dump=$(P dump -i "$X")
    for order in bp keep none; do
        expect 0 P optimize -q -i "$X" --reorder=$order
        same "$before" "$(P search -i "$X" --format tsv --match any the trade china)"
        same "$dump" "$(P dump -i "$X")"
        expect 0 P check -i "$X" --deep
    done
    expect 2 P optimize -i "$X" --reorder=best
}

@test "optimize gives one segment and the same answers" {
    docs | P index -q -i "$X" -
    P index -q -i "$X" "$ARTICLES"
    P delete -q -i "$X" a
    before=$(P search -i "$X" --json --explain trump xi pears | jq -c 'del(.took_us)')
    dump=$(P dump -i "$X" | cksum)
    expect 0 P optimize -i "$X"; mentions "freed"
    same "1 0 7" "$(P stats -i "$X" --json | jq -r '"\(.segments) \(.deleted) \(.documents)"')"
    same "$before" "$(P search -i "$X" --json --explain trump xi pears | jq -c 'del(.took_us)')"
    same "$dump" "$(P dump -i "$X" | cksum)"
    expect 0 P check --deep -i "$X"
    P optimize -i "$X" 2>&1 | sed 's/ in .*//' > size
    ln -s "$X" link.idx
    same "$(cat size)" "$(P optimize -i link.idx 2>&1 | sed 's/ in .*//')"
}

@test "several commits, one commit: the same index" {
    for i in $(seq 1 40); do echo "{\"id\":\"d$i\",\"text\":\"word$((i % 7)) common text $i\"}"; done > d.jsonl
    P index -q -i "$X" d.jsonl
    P index -q -i y.idx --commit-every 7 d.jsonl
    P index -q -i z.idx --threads 3 --memory 64M d.jsonl
    same "$(P dump -i "$X" | cksum)" "$(P dump -i y.idx | cksum)"
    same "$(P dump -i "$X" | cksum)" "$(P dump -i z.idx | cksum)"
    [ "$(P stats -i y.idx --json | jq .generation)" -gt "$(P stats -i "$X" --json | jq .generation)" ]
}

@test "stats has the promised keys and true numbers" {
    docs | P index -q -i "$X" -
    expect 0 P stats -i "$X" --json
    # titles and texts: 1 + 4, 1 + 2, 0 tokens
    same "3 8 1.2 0.75 native english" \
        "$(jq -r '[.documents, .tokens, .k1, .b, .engine, .lang] | join(" ")' <<<"$output")"
    jq -e '[.terms, .postings, .positions, .index_bytes, .segments] | all(. > 0)' <<<"$output"
    jq -e '.avgdl == (8 / 3) and (.sections | length > 0) and (.analyzer | length > 0)' <<<"$output"
    same 8 "$(jq .positions <<<"$output")"
    expect 0 P stats -i "$X"
    [[ $output == *"documents       3"* ]]
}

@test "check: a sound index is ok, a damaged one exit 4 with file and offset" {
    make_five "$X"
    expect 0 P check -i "$X"
    [[ $output == "ok: "*" files, "* ]]
    expect 0 P check --deep --json -i "$X"
    jq -e '.ok and .findings == [] and .documents == 5' <<<"$output"
    segment=$(ls -S "$X" | head -n 1)
    printf '\377\377\377\377' | dd of="$X/$segment" bs=1 seek=5000 conv=notrunc status=none
    expect 4 P check -i "$X"
    mentions "$segment" "offset"
    expect 4 P check --json -i "$X"
    jq -e '(.ok | not) and (.findings | length > 0) and (.findings[0].offset | type == "number")' <<<"$output"
}

@test "check tells deleted articles apart, as stats does" {
    allow_xapian
    for engine in native xapian; do
        X=$engine.idx
        docs | P index -q -i "$X" --engine $engine -
        [[ $(P check -i "$X") == *" 3 documents" ]]
        P delete -q -i "$X" b
        expect 0 P check --deep --json -i "$X"
        same "2 $(P stats -i "$X" --json | jq .deleted)" "$(jq -r '"\(.documents) \(.deleted)"' <<<"$output")"
    done
    [[ $(P check -i native.idx) == *" 2 documents, 1 deleted" ]]
    [[ $(P check --deep -i native.idx) == *" 2 documents, 1 deleted, "*" terms, "* ]]
}

@test "an index cut short: every command answers 4, none crashes" {
    make_five "$X"
    segment=$(ls -S "$X" | head -n 1)
    truncate -s 4096 "$X/$segment"
    for c in "search trump" stats check dump "show x" ; do
        expect 4 P ${c%% *} -i "$X" ${c#"${c%% *}"}
        mentions "$segment"
    done
    # A finding names the file once, its section, and what is wrong; the first one what to do.
    expect 4 P check --json -i "$X"
    says "$segment: damaged at offset 4096 (file): its size is not what the manifest says; restore a copy"
    same "$segment file 4096 its size is not what the manifest says" \
        "$(jq -r '.findings[] | "\(.file) \(.section) \(.offset) \(.what)"' <<<"$output")"
    make_five y.idx; printf '\377' | dd of="$(echo y.idx/*.seg)" bs=1 seek=20 conv=notrunc status=none
    expect 4 P check --json -i y.idx
    same "header header checksum differs" "$(jq -r '.findings[] | "\(.section) \(.what)"' <<<"$output")"
    echo x >>y.idx/manifest; expect 4 P check --json -i y.idx
    same "manifest manifest" "$(jq -r '.findings[] | "\(.file) \(.section)"' <<<"$output")"
}

@test "manifests that were lost: every command says so, and no segment is deleted" {
    make_five y.idx; P delete -q -i y.idx "$(P search -i y.idx --format ids trump | head -1)"
    cp -r y.idx before; rm y.idx/manifest y.idx/manifest.prev
    local files; files=$(ls y.idx)
    for command in "search" "show" "delete" "index" "index --prune" "index --engine native"; do
        expect 4 P $command -i y.idx "$ARTICLES"
        says "y.idx: damaged" "manifest.prev" "segments of the index are there" "put one of the two back"
    done
    for command in check "check --deep" optimize stats dump; do
        expect 4 P $command -i y.idx; mentions "manifest.prev" "put one of the two back"
    done
    expect 2 P index --engine xapian -i y.idx "$ARTICLES"; says "was made by engine native"
    same "$files" "$(ls y.idx)"
    mkdir in; cp -r y.idx in/y.idx; cp "$ARTICLES"/*.txt in; touch in/y.idx/notes.txt
    expect 0 P index --json -i z.idx in; same 5 "$(jq .added <<<"$output")"
    cp before/manifest y.idx
    expect 0 P check --deep -i y.idx
    expect 0 P index -q -i y.idx "$ARTICLES"
    rm -f y.idx/manifest* y.idx/*.seg y.idx/*.del # nothing is left to be lost
    expect 2 P search -i y.idx trump
    expect 0 P index --json -i y.idx "$ARTICLES"; same 5 "$(jq .added <<<"$output")"
}

@test "no index: exit 2 and where it was looked for" {
    for c in "search x" "batch -" stats check dump "show x" "delete x" optimize; do
        expect 2 P ${c%% *} -i "$X/none" ${c#"${c%% *}"} </dev/null
        says "none"
    done
    mkdir empty
    expect 2 P search -i empty x
    expect 2 P search x; says "pressmark.idx"
    PRESSMARK_INDEX=/nowhere/at-all expect 2 P search x; says "/nowhere/at-all"
}

@test "PRESSMARK_INDEX and ./pressmark.idx are the defaults; -i wins" {
    docs | PRESSMARK_INDEX=$X P index -q -
    PRESSMARK_INDEX=$X expect 0 P search pears
    docs | P index -q -
    [ -d pressmark.idx ]
    expect 0 P search pears
    PRESSMARK_INDEX=/nowhere expect 0 P search -i "$X" pears
}

@test "a second writer: exit 7; readers go on" {
    docs | P index -q -i "$X" -
    mkfifo pipe
    exec 8<>pipe
    "$PRESSMARK" index -q -i "$X" - <&8 8>&- 3>&- & writer=$!
    await_lock $writer
    expect 7 P index -i "$X" "$ARTICLES"; says "$X"
    expect 7 P delete -i "$X" a; says "$X"
    expect 7 P optimize -i "$X"; says "$X"
    expect 0 P search -i "$X" pears
    kill $writer; wait $writer || true
    exec 8>&-
    expect 0 P delete -q -i "$X" a
}

@test "Ctrl-C commits nothing and ends by the signal" {
    docs | P index -q -i "$X" -
    mkdir in; for i in $(seq 1 3000); do echo "story number $i about pears" > in/$i.txt; done
    # SIGINT is ignored by background jobs of a shell that has no job control, so: set -m
    code=$(bash -c 'set -m; "$0" index -i "$1" in 2>err & sleep 0.02; kill -INT $!; wait $!; echo $?' "$PRESSMARK" "$X")
    if [ "$code" -eq 0 ]; then skip "the run ended before the signal"; fi
    [ "$code" -eq 130 ]
    same "a b " "$(ids pears)"
    expect 0 P check -i "$X"
}

@test "Ctrl-C while standard input keeps index waiting: the same, and no file is left behind" {
    for options in "--threads 1" "--threads 2" "--engine xapian"; do
        rm -rf "$X" fifo; mkfifo fifo
        exec 8<>fifo
        for i in $(seq 3000); do echo "{\"id\":\"$i\",\"text\":\"story number $i about pears\"}"; done >d.jsonl
        code=$(bash -c 'set -m; "$0" index --memory 1M '"$options"' -i "$1" - <fifo >out 2>err 3>&- & cat d.jsonl >&8
            printf "{\"id\":" >&8; sleep 0.5; kill -INT $!; wait $!; echo $?' "$PRESSMARK" "$X")
        exec 8>&-
        same 130 "$code"
        same "pressmark: interrupted; what was not committed is left out of $X" "$(cat err)"
        same LOCK "$(ls "$X")"
    done
}

@test "a run that is stopped keeps the report that was there, and leaves none half written" {
    docs >d.jsonl; P index -q -i "$X" --report rep d.jsonl; cp rep before; mkdir dir; mv rep dir
    for signal in INT TERM HUP; do
        rm -f fifo; mkfifo fifo; exec 8<>fifo
        # The tests themselves may run under nohup.
        code=$(bash -c 'set -m; env --default-signal=HUP "$0" index -q -i y.idx --report dir/rep - <fifo >out 2>err 3>&- & cat d.jsonl >&8
            printf "{\"id\":" >&8; sleep 0.3; kill -$1 $!; wait $!; echo $?' "$PRESSMARK" $signal)
        exec 8>&-
        same $((128 + $(kill -l $signal))) "$code"
        same rep "$(ls -A dir)"; cmp dir/rep before
    done
    # With nohup a terminal that is closed is none of its business.
    mkfifo fifo2; exec 8<>fifo2
    bash -c 'trap "" HUP; set -m; "$0" index -q -i y.idx - <fifo2 3>&- & echo $! >pid; wait $!; echo $? >code' "$PRESSMARK" 3>&- 8>&- &
    shell=$!
    sleep 0.3; kill -HUP "$(cat pid)"; sleep 0.1; cat d.jsonl >&8; exec 8>&-
    wait $shell
    same 0 "$(cat code)"
    same 3 "$(P stats -i y.idx --json | jq .documents)"
}

@test "a report that cannot be written: exit 5, the one that was there stays, the index is committed" {
    for i in $(seq 2000); do echo "{\"id\":\"$i\",\"text\":\"pears\"}"; done >d.jsonl
    mkdir dir; echo old >dir/rep
    expect 5 bash -c 'trap "" XFSZ; ulimit -f 150; exec "$0" index -q -i "$1" --report dir/rep d.jsonl' "$PRESSMARK" "$X"
    says "dir/rep: cannot write; it is as it was"
    same rep "$(ls -A dir)"; same old "$(cat dir/rep)"
    same 2000 "$(P stats -i "$X" --json | jq .documents)"
}

# A signal some time into optimize: it ends by the signal and nothing has happened, or it was done.
@test "Ctrl-C during optimize leaves the index as it was, and no file behind" {
    awk 'BEGIN {for (i = 0; i < 30000; i++) {s = ""; for (k = 0; k < 20; k++) s = s " w" (i * k + k * k) % 9973
        print "{\"id\":\"" i "\",\"text\":\"" s "\"}"}}' > d.jsonl
    P index -q -i "$X" --commit-every 6000 d.jsonl
    rm -f "$X/LOCK"; ls -l "$X" > before
    stopped=0
    for how in bp keep; do
        for delay in 0.02 0.05 0.1 0.2; do
            code=$(bash -c 'set -m; "$0" optimize -q --reorder=$3 -i "$1" 2>err & sleep $2; kill -INT $!; wait $!; echo $?' "$PRESSMARK" "$X" $delay $how)
            [ "$code" -eq 0 ] && break 2
            [ "$code" -eq 130 ]
            stopped=$((stopped + 1))
            rm -f "$X/LOCK"; ls -l "$X" > after
            same "$(cat before)" "$(cat after)"
            expect 0 P check -i "$X"
        done
    done
    [ $stopped -gt 0 ] || skip "every run ended before the signal"
    same "30000" "$(P search -i "$X" --match any --count w0)"
}

# What is dead is more than a fifth, so that the commit writes the rest of it anew.
@test "Ctrl-C during delete leaves the index as it was, and no file behind" {
    awk 'BEGIN {for (i = 0; i < 6000; i++) print "{\"id\":\"" i "\",\"text\":\"w" i " w" i * 7 % 997 "\"}"}' > d.jsonl
    P index -q -i "$X" d.jsonl
    seq 0 2500 > ids
    rm -f "$X/LOCK"; ls -l "$X" > before
    stopped=0
    for signal in 2 15; do
        for call in write:1 write:2; do
            expect $((128 + signal)) with_fault $call:-$signal "$PRESSMARK" delete -i "$X" - < ids
            says "interrupted; $X is as it was"
            rm -f "$X/LOCK"; ls -l "$X" > after
            same "$(cat before)" "$(cat after)"
            expect 0 P check -i "$X"
        done
    done
    same "6000" "$(P stats -i "$X" --json | jq .documents)"
    expect 0 with_fault write:100:-2 "$PRESSMARK" delete -q -i "$X" - < ids
    same "3499" "$(P stats -i "$X" --json | jq .documents)"
}

@test "an optimize that is visible but not durable says so, Ctrl-C or not" {
    for n in 1 2 3; do echo "{\"id\":\"$n\",\"text\":\"word $n\"}" | P index -q -i "$X" -; done
    for n in 4 5; do echo "{\"id\":\"$n\",\"text\":\"word $n\"}" | P index -q -i "$X" -; done
    cp -r "$X" y.idx
    for sync in $(seq 9); do
        rm -rf "$X"; cp -r y.idx "$X"; rm -f "$BATS_TEST_TMPDIR/struck"
        code=0; with_fault fsync:$sync:5 "$PRESSMARK" optimize -q -i "$X" 2>/dev/null || code=$?
        [ -e "$BATS_TEST_TMPDIR/struck" ] || break
        [ $code -eq 6 ] && last=$sync
    done
    rm -rf "$X"; cp -r y.idx "$X"
    expect 6 with_fault fsync:$last:5-2 "$PRESSMARK" optimize -q -i "$X"
    [[ $stderr != *"as it was"* ]]
    same "1" "$(P stats -i "$X" --json | jq '.segments | if type == "array" then length else . end')"
}

@test "progress: rate, time left, memory, phase, on a terminal only, not with --quiet" {
    has_tty || skip "no pseudo-terminal here"
    awk 'BEGIN {for (i = 0; i < 300000; i++) print "{\"id\":\"" i "\",\"text\":\"word" i % 97 " story number " i "\"}"}' > d.jsonl
    tty=$(TERM=xterm script -qec "'$PRESSMARK' index -i '$X' d.jsonl" /dev/null </dev/null)
    [[ $tty =~ [0-9]+\ articles,\ [0-9]+/s,\ [0-9]+\ %,\ [0-9]+\ s\ left,\ [0-9.]+\ MB,\ reading ]]
    [[ $tty == *"300000 added"* ]]
    tty=$(TERM=xterm script -qec "'$PRESSMARK' index -q -i y.idx d.jsonl" /dev/null </dev/null)
    same "" "$tty"
    expect 0 P index -i z.idx d.jsonl
    [[ $stderr != *"articles,"* && $stderr != *$'\r'* ]]
    awk 'BEGIN {for (i = 0; i < 400000; i++) print "{\"id\":\"n" i "\",\"text\":\"word" i % 97 " story number " i "\"}"}' > e.jsonl
    P index -q -i z.idx --commit-every 50000 e.jsonl
    tty=$(TERM=xterm script -qec "'$PRESSMARK' optimize -i z.idx" /dev/null </dev/null)
    [[ $tty =~ [0-9]+\ MB\ written,\ [0-9]+\ MB/s,.*\ MB,\ merging ]]
    expect 0 P optimize -i y.idx
    [[ $stderr != *"written,"* && $stderr != *$'\r'* ]]
}
