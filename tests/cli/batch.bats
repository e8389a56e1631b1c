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
    echo '{"id":123456789012345678901,"query":"tin"}' > q.jsonl
    expect 2 B q.jsonl; says "q.jsonl:1" "too big integer"
}

@test "--timing: one object a query, in order" {
    printf 'q2\tcopper\nq1\ttin\n' | B --timing times - > /dev/null
    same "q2 q1" "$(jq -r .qid times | xargs)"
    jq -e '.parse_us >= 0 and .took_us >= 0 and .hits > 0' times
    expect 5 B --timing /nowhere/times - <<< tin; says "/nowhere/times"
    expect 5 B --timing /dev/full - <<< tin; says "/dev/full"
}

@test "no such query file: exit 2; a folder: exit 5" {
    expect 2 B nosuch; says "nosuch"
    expect 5 B /; says "/"
}
