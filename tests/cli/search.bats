# search, show, analyze: exact standard output and exit codes.
load helper

setup_file() {
    export X=$BATS_FILE_TMPDIR/five.idx D=$BATS_FILE_TMPDIR/docs.idx
    "$PRESSMARK" index -q -i "$X" "$BATS_TEST_DIRNAME/../../corpus/articles"
    "$PRESSMARK" index -q -i "$D" - <<'END'
{"id":"1","title":"Copper","text":"copper mine strike","date":"2025-09-19","source":"Wire","url":"http://a/1","author":"Ann","tags":["metal","labour"],"lang":"en","extra_key":{"deep":[1,2]}}
{"id":"2","title":"Tin","text":"tin mine opens"}
{"id":"3","title":"Strike","text":"copper copper copper strike strike"}
{"id":"4","title":"","text":"nothing of the kind"}
{"id":"5","title":"Evil","text":"esc \u001b[31mred\u001b[0m osc \u001b]52;c;aGk=\u0007 csi \u009b31m bidi \u202egnp.exe \u2066x\u2069 del \u007f end"}
END
}

F() { P search -i "$X" "$@"; }
S() { P search -i "$D" "$@"; }

@test "ids, count and exit codes" {
    expect 0 F --format ids rare earth export controls --match all
    same 5 "$(F --count trump)"
    expect 0 F --count trump
    expect 1 F --count zzyzx; same 0 "$output"
    expect 1 F zzyzx; [ -z "$output$stderr" ]
    expect 1 F --format ids zzyzx; [ -z "$output$stderr" ]
    expect 1 F --json zzyzx
    jq -e '.total == {"value":0,"relation":"eq","all":0} and .hits == []' <<<"$output"
}

@test "scores are BM25: computed again with jq to 1e-12" {
    # N=5; tokens with titles: 1: 4, 2: 4, 3: 6, 4: 4, 5: as counted by the index
    expect 0 S --match any --json --explain copper strike
    jq -e '
      def idf($n; $df): (1 + ($n - $df + 0.5) / ($df + 0.5)) | log;
      .statistics as $s | all(.hits[];
        . as $h | ([.explain[] | idf($s.documents; .df) * .tf * ($s.k1 + 1)
          / (.tf + $s.k1 * (1 - $s.b + $s.b * $h.dl / $s.avgdl))] | add) as $want
        | (($h.score - $want) | fabs) < 1e-12
          and (([$h.explain[].contribution] | add) - $h.score | fabs) < 1e-12)' <<<"$output"
    same "3 1" "$(jq -r '[.hits[].id] | join(" ")' <<<"$output")"
    same '[["copper",3,2],["strike",3,2]]' "$(jq -c '[.hits[0].explain[] | [.term, .tf, .df]]' <<<"$output")"
    same '[["copper",2,2],["strike",1,2]]' "$(jq -c '[.hits[1].explain[] | [.term, .tf, .df]]' <<<"$output")"
    same "6 4" "$(jq -r '[.hits[].dl] | join(" ")' <<<"$output")"
}

@test "json has exactly the promised keys" {
    expect 0 S --json copper mine
    same "hits interpreted match query suggestion took_us total truncated" "$(jq -r 'keys | join(" ")' <<<"$output")"
    same "date highlights id rank score snippet source title url" "$(jq -r '.hits[0] | keys | join(" ")' <<<"$output")"
    same '{"query":"copper mine","match":"auto","total":{"value":3,"relation":"eq","all":1},"suggestion":null,"truncated":false}' \
        "$(jq -c '{query,match,total,suggestion,truncated}' <<<"$output")"
    same '["1","Copper","2025-09-19","Wire","http://a/1"]' "$(jq -c '.hits[0] | [.id,.title,.date,.source,.url]' <<<"$output")"
    jq -e '.hits[1].date == null' <<<"$output"
    same "$(sed 's/"took_us":[0-9]*//' <<<"$output")" "$(S --format=json copper mine | sed 's/"took_us":[0-9]*//')"
}

@test "highlights are byte spans of the matched words in the snippet" {
    expect 0 F --json xi jinping
    # bytes: work in Latin-1 so that a character is a byte
    spans=$(jq -r '.hits[0] | .snippet as $s | .highlights[] | "\(.[0]) \(.[1])"' <<<"$output")
    [ -n "$spans" ]
    jq -j '.hits[0].snippet' <<<"$output" > "$BATS_TEST_TMPDIR/snippet"
    while read -r from to; do
        word=$(tail -c +$((from + 1)) "$BATS_TEST_TMPDIR/snippet" | head -c $((to - from)))
        [[ ${word,,} =~ ^(xi|jinping)(’s)?$ ]] || { echo "highlight: '$word'"; return 1; }
    done <<<"$spans"
}

@test "jsonl is one hit a line, equal to the hits of json" {
    same "$(S --json copper mine | jq -c '.hits[]')" "$(S --format jsonl copper mine | jq -c .)"
}

@test "tsv: rank, id, score with 17 digits, title" {
    expect 0 S --format tsv copper strike
    same $'1\t3\tStrike\n2\t1\tCopper' "$(cut -f 1,2,4 <<<"$output")"
    same "$(S --json copper strike | jq -r '.hits[].score' | awk '{printf "%.12g\n", $1}')" \
        "$(cut -f 3 <<<"$output" | awk '{printf "%.12g\n", $1}')"
}

@test "trec: six columns, rank and tag" {
    expect 0 S --format trec copper strike
    same $'1 Q0 3 1 pressmark\n1 Q0 1 2 pressmark' "$(awk '{print $1, $2, $3, $4, $6}' <<<"$output")"
}

@test "--limit and --offset page through one list" {
    all=$(S --format ids -k 100 copper mine strike)
    paged=$(for i in 0 1 2 3; do S --format ids -k 1 --offset $i copper mine strike; done)
    same "$all" "$paged"
    same "$all" "$(S --format ids --limit=100 copper mine strike)"
    expect 0 S --format ids --offset 50 copper; [ -z "$output" ]
    expect 0 S --format ids -k 0 copper; [ -z "$output" ]
    expect 0 S --format ids -k 1000000000 copper
    same 2 "$(S --offset 1 -k 1 --json copper mine | jq '.hits[0].rank')"
}

@test "--match: all, any, auto" {
    same "1" "$(S --format ids --match all copper mine)"
    same "1 2 3" "$(S --format ids --match any copper mine | sort | xargs)"
    same "1" "$(S --format ids --match auto copper mine | head -n 1)"
    same "1 2 3" "$(S --format ids copper mine | sort | xargs)"
    same '{"value":3,"relation":"eq","all":1}' "$(S --json copper mine | jq -c .total)"
}

@test "the query may hold options' look-alikes after its first word" {
    same "1 3" "$(S --format ids copper -tin | sort | xargs)"
    same "3" "$(S copper -mine --format ids)"
    same "3" "$(S --format ids -- copper -mine)"
    same "3" "$(S copper -mine -k 5 --format=ids)"
    same "1" "$(S copper -k1 +mine --format=ids)"
    same "copper -korea --nonsense" "$(S --json copper -korea --nonsense | jq -r .query)"
    expect 2 S -tin copper; says "'-tin'" "'--'"
}

@test "several arguments are one query; quotes make a phrase" {
    same "$(S --format tsv "copper mine")" "$(S --format tsv copper mine)"
    same "1" "$(S --format ids '"copper mine"')"
    same "1" "$(S --format ids 'copper AND mine')"
    same "2" "$(S --format ids title:tin)"
}

@test "no text that a person types is an error" {
    for q in '"' '(((' ')))' '- *' 'a:(^' '"a' '^' '~5' 'AND OR NOT' $'\x01' $'\xff\xfe' 'title:' '+' '-' '=' '*' '?'; do
        run -0 --separate-stderr bash -c '"$0" search -i "$1" --json -- "$2"; [ $? -le 1 ]' "$PRESSMARK" "$D" "$q"
        jq -e '.total.value >= 0' <<<"$output" >/dev/null || { echo "query: $q"; return 1; }
    done
    expect 1 S --json -- ''
}

@test "--strict: exit 2, one line and a caret under the place" {
    expect 2 S --strict --format ids '"copper mine'
    [[ ${stderr%%$'\n'*} == "pressmark: "* ]]
    [[ $stderr == *$'\n  "copper mine\n'*"^" ]]
    expect 0 S --strict --format ids '"copper mine"'
}

@test "a long query is cut, and said to be" {
    long=$(printf 'word%d ' $(seq 1 3000))
    expect 0 S --json "copper $long"
    jq -e '.truncated' <<<"$output"
}

@test "--k1 and --b change scores as the formula says" {
    expect 0 S --json --explain --k1 0 --match any copper
    jq -e '.statistics.k1 == 0 and all(.hits[]; (.score - .explain[0].idf | fabs) < 1e-12)' <<<"$output"
    expect 0 S --json --explain --b 0 --match any copper
    jq -e '.statistics.b == 0 and all(.hits[]; .explain[0].norm == 1.2)' <<<"$output"
}

@test "text: number, title, date, source, score, id, snippet" {
    expect 0 S '"copper mine"'
    score=$(S --json '"copper mine"' | jq -r '.hits[0].score' | awk '{printf "%.4f", $1}')
    same " 1. Copper  (2025-09-19 · Wire)  $score" "${lines[0]}"
    same "    1" "${lines[1]}"
    [[ ${lines[2]} == "    "*"copper mine"* ]]
    [ -z "$stderr" ]
    expect 0 S '"copper mine"' --snippets=no
    same 2 "${#lines[@]}"
    expect 0 S nothing; [[ ${lines[0]} == " 1. (no title)"* ]]
}

@test "control and bidi characters of articles come out visible or escaped" {
    nasty=$'\e|\a|\x7f|\xc2\x9b|\xe2\x80\xae|\xe2\x81\xa6|\xe2\x81\xa9'
    for args in "" "--explain" "--json" "--format jsonl" "--format tsv" "--color always --snippets no"; do
        expect 0 S $args esc bidi end
        plain=$(sed $'s/\e\\[[0-9;]*m//g' <<<"$output")
        [[ $args == *always* ]] || plain=$output
        if LC_ALL=C grep -qE "$nasty" <<<"$plain"; then printf '%s: %q\n' "$args" "$plain"; return 1; fi
    done
    expect 0 P show -i "$D" 5
    ! LC_ALL=C grep -qE "$nasty" <<<"$output"
    [[ $output == *$'\u241b[31mred'* ]]
    expect 0 P show --json -i "$D" 5
    ! LC_ALL=C grep -qE "$nasty" <<<"$output"
    jq -e '.text | contains("\u001b[31mred") and contains("\u202egnp.exe")' <<<"$output"
}

@test "colour: never into a pipe, always when asked, NO_COLOR obeyed" {
    expect 0 S copper; [[ $output != *$'\e'* ]]
    expect 0 S --color always copper; [[ $output == *$'\e[1;31mcopper\e[0m'* ]]
    expect 0 S --color never copper; [[ $output != *$'\e'* ]]
    if has_tty; then
        tty=$(TERM=xterm script -qec "'$PRESSMARK' search -i '$D' copper" /dev/null </dev/null)
        [[ $tty == *$'\e[1;31m'* ]]
        tty=$(NO_COLOR=1 TERM=xterm script -qec "'$PRESSMARK' search -i '$D' copper" /dev/null </dev/null)
        [[ $tty != *$'\e'* ]]
        tty=$(TERM=dumb script -qec "'$PRESSMARK' search -i '$D' copper" /dev/null </dev/null)
        [[ $tty != *$'\e'* && $tty == *"2 of 2 articles"* ]]
    fi
}

@test "show: for reading, as JSON with further keys, unknown ids" {
    expect 0 P show -i "$D" 1
    same $'Copper\nid: 1\ndate: 2025-09-19\nsource: Wire\nauthor: Ann\nurl: http://a/1\ntags: metal, labour\n\ncopper mine strike' "$output"
    expect 0 P show -i "$D" --json 1
    same '{"id":"1","title":"Copper","text":"copper mine strike","date":"2025-09-19","url":"http://a/1","source":"Wire","author":"Ann","tags":["metal","labour"],"lang":"en","extra_key":{"deep":[1,2]}}' "$output"
    expect 1 P show -i "$D" nosuch; says "nosuch"
    expect 1 P show -i "$D" nosuch 2 --json; same 2 "$(jq -r .id <<<"$output")"
    expect 0 P show -i "$D" 4 --json; jq -e '.date == null and .title == ""' <<<"$output"
}

@test "show --json can be indexed again" {
    P show -i "$D" --json 1 2 3 4 5 | P index -q -i "$BATS_TEST_TMPDIR/again.idx" -
    same "$(P dump -i "$D" | cksum)" "$(P dump -i "$BATS_TEST_TMPDIR/again.idx" | cksum)"
}

@test "titles and dates of the five articles" {
    expect 0 F --json -k 5 trump
    same $'000 null Trump to Meet Xi Jinping at APEC in South Korea, Eyes China Visit for 2026
001 null Trump Speaks with Xi, to Meet at APEC Forum
003 2025-11-24T23:03:34 Big News: Trump says he will visit China in April after call with Xi
004 null Trump Hails TikTok Breakthrough with China, Eyes High-Stakes Beijing Trip in 2026' \
        "$(jq -r '.hits | sort_by(.id)[] | select(.id | startswith("002") | not) | "\(.id[:3]) \(.date) \(.title)"' <<<"$output")"
    jq -e '.hits[] | select(.id | startswith("002")) | .date == "2025-09-19" and
        (.title | startswith("President Donald Trump announced that he and Chinese President Xi Jinping"))' <<<"$output"
}

@test "analyze: one line for each line" {
    expect 0 P analyze --lang en "China’s leaders’ talks"; same "china leader talk" "$output"
    expect 0 P analyze "the US told us"; same "the us|US told us" "$output"
    same $'us|US china\ntiktok\n\nresum' "$(printf 'U.S.-China\nTikTok\n\nrésumé' | P analyze -)"
    same $'us|US china\ntiktok' "$(printf 'U.S.-China\r\nTikTok\r\n' | P analyze)"
    same "leaders" "$(P analyze --lang none leaders)"
    expect 2 P analyze --lang klingon x; says "klingon"
    expect 0 P analyze ""; same "" "$output"
}

@test "dump is the same whatever the order of commits" {
    expect 0 P dump -i "$D"
    [ -n "$output" ]
    [[ $output == *copper* ]]
}

@test "dump: a body's positions begin a hundred behind the title's, and phrases do not cross" {
    local x=$BATS_TEST_TMPDIR/gap.idx
    printf '{"id":"b","title":"Do it","text":"To do more"}\n{"id":"a","text":"to be"}\n' |
        P index -q -i "$x" -
    [[ $(P dump -i "$x") == *$'term do 1 2\n b:2:0,103\n'*$'term to 2 2\n b:1:102\n a:1:0\n'* ]]
    same 0 "$(P search -i "$x" --count '"it to"')"
    same 0 "$(P search -i "$x" --count '"it to"~300')"
    same 1 "$(P search -i "$x" --count '"do it"')"
}
