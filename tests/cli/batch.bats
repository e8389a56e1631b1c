# batch: forms of query files, formats of answers.
load helper

setup_file() {
    export D=$BATS_FILE_TMPDIR/docs.idx
    "$PRESSMARK" index -q -i "$D" - <<'END'
{"id":"1","title":"Copper","text":"copper mine strike"}
{"id":"2","title":"Tin","text":"tin mine opens"}
{"id":"3","title":"Strike","text":"copper copper copper strike strike"}
{"id":"tie a","text":"silver one"}
{"id":"tie b","text":"silver two"}
{"id":"tie c","text":"silver six"}
END
}
setup() { cd "$BATS_TEST_TMPDIR" || exit; }
B() { P batch -i "$D" "$@"; }

@test "lines with and without qid, in order; the line number is the qid" {
    printf 'q7\tcopper\n\nmine\nq1\tzzyzx\ntin\n' > q
    expect 0 B q
    same $'q7 3 1\nq7 1 2\n3 1 1\n3 2 2\n5 2 1' "$(awk '{print $1, $3, $4}' <<<"$output")"
    same "$output" "$(B - < q)"
    same "$output" "$(B <(cat q))"
    same "$output" "$(sed 's/$/\r/' q | B -)"
    for t in 1 2 3; do same "$output" "$(B --threads $t q)"; done
}

@test "no hits at all: exit 0" {
    expect 0 B - <<<zzyzx; [ -z "$output" ]
    expect 0 B - < /dev/null; [ -z "$output" ]
}

@test "JSON Lines" {
    printf '%s\n' '{"qid":"a","query":"copper"}' '{"id":12,"text":"tin"}' '{"query":"mine","note":1}' > q.jsonl
    expect 0 B q.jsonl
    same $'a 3\na 1\n12 2\n3 1\n3 2' "$(awk '{print $1, $3}' <<<"$output")"
    printf '%s\n' '{"qid":"a","query":"copper"}' 'nonsense' > bad.jsonl
    expect 2 B bad.jsonl; says "bad.jsonl:2"
    printf '%s\n' '{"qid":"a"}' > bad.jsonl
    expect 2 B bad.jsonl; says "bad.jsonl:1" "query"
}

@test "TREC topics and their fields" {
    cat > topics <<'END'
<top>
<num> Number: 301
<title> Topic: tin
<desc> Description:
Where is
silver found?
<narr> Narrative:
copper
</top>
<top><num>302</num><title>strike</title></top>
END
    same $'301 2\n302 3\n302 1' "$(B topics | awk '{print $1, $3}')"
    same "tin" "$(B topics --format jsonl | jq -r 'select(.qid == "301") | .query')"
    same "tin Where is silver found?" "$(B topics --format jsonl --topic-fields title,desc | jq -r 'select(.qid == "301") | .query')"
    same "copper" "$(B topics --format jsonl --topic-fields narr | jq -r 'select(.qid == "301") | .query')"
    printf '<top><title>x</title></top>' > bad
    expect 2 B bad; says "<num>"
}

# asked FILE OPTIONS...: a line of qid and query for each
asked() { B "$@" --format jsonl | jq -r '.qid + " " + .query'; }

@test "TREC topics: in either case, with attributes, behind comments and blank lines" {
    printf '<TOP>\n<NUM>7</NUM>\n<Title>tin</TITLE>\n</TOP>\n' > upper
    printf '\n# <top> of a file\n\n \t<top lang="en">\n<num>7</num>\n<title lang="en">tin\n</top>\n' > attributes
    printf '\xef\xbb\xbf<?xml version="1.0"?>\r\n<topics>\r\n<top>\r\n<num> Number: 7\r\n<title> tin\r\n</top>\r\n' > xml
    for f in upper attributes xml; do same "7 tin" "$(asked $f)"; done
    printf '# tin\n<topic>copper\n' > plain # no <top>
    same $'1 # tin\n2 <topic>copper' "$(asked plain)"
    printf 'copper <top>\n' > plain
    same "1 copper <top>" "$(asked plain)"
}

@test "TREC topics: what is no tag is text, markup goes and its text stays" {
    cat > topics <<'END'
<top>
<num> Number: 1
<title> price < 5 rare earth <b>metals</b> x<y, y>z <1> </2> <- a
<desc> one <head> two </head> three
<narr> four
</top>
<top> <num> 2 <E-title> deux <title>tin<br/>mine <open
closed> <i <b>copper</b></title> lost
<smry> s <con> c <fac> f <def> d <dom> m </top>
<top><num>Number: 3
not its number
<title>tin</title>
END
    same "1 price < 5 rare earth metals x<y, y>z <1> </2> <- a
2 tin mine <open closed> <i copper
3 tin" "$(asked topics)"
    same "1 one" "$(asked topics --topic-fields desc | head -n 1)"
}

@test "TREC topics in XML, as later tracks have them" {
    cat > xml <<'END'
<?xml version="1.0" encoding="UTF-8"?>
<topics task="COVIDSEARCH" batch="1">
  <topic number="1">
    <query>tin &amp; &quot;copper mine&quot;</query>
    <question>where is tin?</question>
    <narrative>silver &lt;ore&gt;, &nbsp; &am</narrative>
  </topic>
  <topic type="faceted" number = '2'>
    <query>strike</query>
    <description> a
      strike </description>
    <subtopic number="9" type="inf">lost</subtopic>
  </topic>
  <TOPIC NUMBER=3>
    free <b>text</b> of
    a patient
  </topic>
</topics>
END
    same '1 tin & "copper mine"
2 strike
3 free text of a patient' "$(asked xml)"
    same "1 where is tin?
2 a strike
3 " "$(asked xml --topic-fields desc)"
    same '1 silver <ore>, &nbsp; &am' "$(asked xml --topic-fields narr | head -n 1)"
    printf '<topic number=>x' > none # no number: lines
    same '1 <topic number=>x' "$(asked none)"
    printf '<topic number="4><query>tin</query></topic>' > open # a quote that never ends
    same '4 tin' "$(asked open)"
}

@test "trec: scores strictly decrease as single precision, ids have no blanks" {
    expect 0 B --run-tag "my tag" - <<< $'s\tsilver'
    same "s Q0 tie%20a 1 my%20tag
s Q0 tie%20b 2 my%20tag
s Q0 tie%20c 3 my%20tag" "$(awk '{print $1, $2, $3, $4, $6}' <<<"$output")"
    # the exact scores tie, the printed ones do not, and they differ by rounding only
    same 1 "$(B --format jsonl - <<< silver | jq '[.hits[].score] | unique | length')"
    exact=$(B --format jsonl - <<< silver | jq '.hits[0].score')
    awk -v e="$exact" 'NR > 1 && !($5 < last) {bad = 1} {last = $5; d = ($5 - e) / e; if (d > 1e-6 || d < -1e-6) bad = 1}
        END {exit bad}' <<<"$output"
}

@test "default k: 1000 for trec, else 10" {
    for i in $(seq 1 1200); do echo "{\"id\":\"d$i\",\"text\":\"common\"}"; done | P index -q -i many.idx -
    same 1000 "$(P batch -i many.idx - <<< common | wc -l)"
    same 10 "$(P batch -i many.idx --format tsv - <<< common | wc -l)"
    same 10 "$(P batch -i many.idx --format jsonl - <<< common | jq '.hits | length')"
    same 1200 "$(P batch -i many.idx --format jsonl - <<< common | jq '.total.value')"
    same 25 "$(P batch -i many.idx -k 25 - <<< common | wc -l)"
    # ingest order within a tie
    same "d1 d2 d3" "$(P batch -i many.idx -k 3 - <<< common | awk '{print $3}' | xargs)"
}

@test "jsonl and tsv agree with search" {
    same "$(P search -i "$D" --match any --format tsv copper strike)" "$(B --format tsv - <<< 'copper strike' | cut -f 2-)"
    same "$(P search -i "$D" --match any --json copper strike | jq -c '[.hits[] | {rank,id,score,title}]')" \
        "$(B --format jsonl - <<< 'copper strike' | jq -c .hits)"
    same "qid query total hits" "$(B --format jsonl - <<< tin | jq -r 'keys_unsorted | join(" ")')"
    same "1" "$(B --match all --format tsv - <<< 'copper mine' | cut -f 3)"
}

@test "--timing: neither the queries nor the index are overwritten" {
    printf 'q1\tcopper\n' > q; cp q before; ln -s q link; cp -r "$D" idx
    expect 2 B --timing q q; says "would be overwritten"
    expect 2 B --timing link q; says "would be overwritten"
    expect 2 P batch -i idx --timing idx/manifest q; says "a file of the index"
    expect 2 P batch -i idx --timing idx/times q; says "a file of the index"
    cmp q before; expect 0 P check -i idx
}

@test "JSON Lines: qid, else id, else _id, else the number of the line" {
    printf '%s\n' '{"_id":"q9","text":"tin"}' '{"_id":"c","id":"b","qid":"a","query":"tin"}' \
        '{"_id":"c","id":"b","query":"tin"}' '{"qid":"","id":null,"_id":"c","query":"tin"}' \
        '{"qid":[],"query":"tin"}' > q.jsonl
    same $'q9\na\nb\nc\n5' "$(B q.jsonl -k 1 --format tsv | cut -f 1)"
    same "tin" "$(echo '{"text":"copper","query":"tin"}' | B - --format jsonl | jq -r .query)"
}

@test "a query id met twice: one warning, answers as they are" {
    printf 'a\ttin\na\tcopper\n1\ttin\nb\ttin\nb\tmine\nb\tcopper\n' > q
    expect 0 B q -k 1; says "warning: query ids met more than once: 2 (" "answered every time"
    same $'a 2\na 3\n1 2\nb 2\nb 1\nb 3' "$(awk '{print $1, $3}' <<<"$output")"
    printf 'tin\n1\tcopper\n' > q # the number of the first line
    expect 0 B q -k 1; says "warning: query ids met more than once: 1 (1)"
    printf 'tin\n11\tcopper\n111\ttin' > q
    expect 0 B q -k 1; [ -z "$stderr" ]
}

@test "a gzipped query file is read, a broken one named" {
    printf 'q1\tcopper\n\nq2\ttin\n' > q; gzip -k q; cp q.gz other
    expect 0 B q; local plain=$output
    for f in q.gz other; do same "$plain" "$(B $f)"; done
    same "$plain" "$(B - < q.gz)"
    { gzip -c <<<'{"_id":"a","text":"tin"}'; gzip -c <<<'{"_id":"b","text":"tin"}'; } > two.gz
    same $'a\nb' "$(B two.gz -k 1 | cut -d' ' -f 1)"
    head -c 25 q.gz > cut.gz
    expect 5 B cut.gz; says "cut.gz: gzip data ends too early"
    printf '\x1f\x8bplain' > bad.gz
    expect 5 B bad.gz; says "bad.gz: gzip data"
    gzip -c <<<tin > bench.gz
    same 1 "$(P bench search -i "$D" --queries bench.gz --commands COUNT --warmup 0 --json | jq '.commands[0].queries')"
}

@test "UTF-16 is no query file" {
    printf '\xff\xfet\0i\0n\0' > q
    expect 2 B q; says "q: UTF-16" "iconv"
}

@test "a query that is cut is said" {
    { printf 'long\t'; seq -s ' ' -f 'w%g' 1200; } > q
    echo copper >> q
    expect 0 B --format jsonl q; says "query long " "was cut"
    same $'true\nnull' "$(grep '^{' <<<"$output" | jq .truncated)"
}

@test "numbers and names that are no strings are qids as they stand" {
    printf '%s\n' '{"id":1.5,"query":"tin"}' '{"id":true,"query":"tin"}' '{"id":0.1,"query":"tin"}' > q.jsonl
    expect 0 B q.jsonl
    same $'1.5\ntrue\n0.1' "$(cut -d' ' -f1 <<<"$output")"
    printf '%s\n' '{"id":123456789012345678901,"query":"tin"}' '{"qid":-1.50e+2,"a":"\"7","query":"tin"}' \
        '{"a":[1e999],"id":7}' '{"_id":1e999,"query":"tin 12"}' '{"id":0,"query":"tin"}' > q.jsonl
    expect 2 B q.jsonl; says "q.jsonl:3" "not a JSON object with"
    sed -i 3d q.jsonl
    same $'123456789012345678901\n-1.50e+2\n1e999\n0' "$(B q.jsonl -k 1 | cut -d' ' -f 1)"
    same 'tin 12' "$(asked q.jsonl | sed -n 's/^1e999 //p')"
    echo '{"id":01,"query":"tin"}' > q.jsonl
    expect 2 B q.jsonl; says "q.jsonl:1" "not JSON"
}

@test "--timing: one object a query, in order" {
    printf 'q2\tcopper\nq1\ttin\n' | B --timing times - > /dev/null
    same "q2 q1" "$(jq -r .qid times | xargs)"
    jq -e '.parse_us >= 0 and .took_us >= 0 and .hits > 0' times
    expect 5 B --timing /nowhere/times - <<< tin; says "/nowhere/times"
    expect 5 B --timing /dev/full - <<< tin; says "/dev/full"
}

@test "no such query file, or a folder: exit 2" {
    expect 2 B nosuch; says "nosuch"
    mkdir queries
    expect 2 B queries; says "queries: a folder; name a file" "standard input"
    expect 2 B - < queries; says "standard input: a folder"
    expect 2 P bench search -i "$D" --queries queries; says "queries: a folder"
}
