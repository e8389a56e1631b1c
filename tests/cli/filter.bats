# Filters: options and the query language, exact standard output and exit codes.
load helper

setup_file() {
    export D=$BATS_FILE_TMPDIR/dated.idx
    "$PRESSMARK" index -q -i "$D" - <<'END'
{"id":"a","text":"copper mine strike","date":"2024-12-31T23:59:59"}
{"id":"b","text":"copper tin","date":"2025-01-01"}
{"id":"c","text":"tin mine opens","date":"2025-09-19"}
{"id":"d","text":"copper copper strike","date":"2025-09-30T10:00:00+02:00"}
{"id":"e","text":"copper lead"}
{"id":"f","text":"copper zinc","date":"2025-11-02"}
{"id":"g","text":"copper zinc","date":"2026-01-01"}
END
}

# Ids of a search on one line: by rank, and sorted.
I() { P search -i "$D" --format ids "$@" | paste -sd' '; }
A() { P search -i "$D" --format ids "$@" | sort | paste -sd' '; }

@test "--after is inclusive, --before is not; undated articles pass neither" {
    same "a b d e f g" "$(A copper)"
    same "b d f g" "$(A --after 2025 copper)"
    same "b d f g" "$(A copper --after=2025-01-01)"
    same "d f g" "$(A --after 2025-01-02 copper)"
    same "b d f" "$(A --after 2025 --before 2026 copper)"
    same "a" "$(A --before 2025 copper)"
    same "a" "$(A --before 2025-01-01 copper)"
    same "a b" "$(A --before 2025-09 copper)"
    same "d" "$(A --after 2025-09-30T08:00:00Z --before 2025-09-30T08:00:01Z copper)"
    same 3 "$(P search -i "$D" --count --after 2025-02 copper)"
    expect 1 P search -i "$D" --after 2030 copper
    expect 1 P search -i "$D" --count --before 1999 copper; same 0 "$output"
}

@test "dates in queries: periods, ranges, negated, alone" {
    same "b d f" "$(A copper date:2025)"
    same "d f" "$(I copper date:2025-09..2025-11)"
    same "d f g" "$(A 'copper (date:2025-09 OR after:2025-11)')"
    same "c d" "$(I date:2025-09)"
    same "c" "$(I tin date:2025-09)"
    same "c d f g" "$(I date:2025-09..)"
    same "a b" "$(I date:..2025-01)"
    same "c f" "$(A date:2025 -copper OR zinc date:2025-11)"
    same "a e g" "$(A copper -date:2025)"
    same "c" "$(I -- date:2025 -copper)"
    expect 1 P search -i "$D" -- -date:2025
    expect 0 P search -i "$D" --json --match any copper strike date:2025
    same '{"value":3,"relation":"eq","all":1}' "$(jq -c .total <<<"$output")"
    same 'copper strike date:2025' "$(jq -r .interpreted <<<"$output")"
    expect 0 P search -i "$D" --json date:2025
    same '[0,0,0,0]' "$(jq -c '[.hits[].score]' <<<"$output")"
}

@test "options without words list what passes them, as filters in a query do" {
    local X=$BATS_TEST_TMPDIR/x.idx i
    allow_xapian
    P index -q -i "$X" --engine xapian - <<'END'
{"id":"a","text":"copper mine strike","date":"2024-12-31T23:59:59","source":"AP"}
{"id":"b","text":"copper tin","date":"2025-01-01","tags":["metal"]}
{"id":"c","text":"tin mine opens","date":"2025-09-19","source":"AP"}
END
    same "b c d f g" "$(I --after 2025)"
    same "b c" "$(I --after 2025 --before 2025-09-30)"
    same "b c" "$(I --after 2025 --before 2025-09-30 '')"
    same "b c" "$(I --after 2025 -k 2 ' ?')"
    same "c" "$(I --after 2025 -- -copper)"
    same 5 "$(P search -i "$D" --after 2025 --count)"
    expect 1 P search -i "$D" --after 2030
    expect 0 P search -i "$D" --after 2025 --json
    same '"after:2025" {"value":5,"relation":"eq","all":5} [0,0,0,0,0]' \
        "$(jq -c '.interpreted, .total, [.hits[].score]' <<<"$output" | paste -sd' ')"
    for i in --after=2025 --source=ap '--source=ap --after=2025' '--tag=metal --tag=ore'; do
        # shellcheck disable=SC2086
        same "$(P search -i "$X" --format ids $i mine OR copper OR tin | sort)" "$(P search -i "$X" --format ids $i | sort)"
    done
    same 1 "$(P search -i "$X" --after 2025 --count -- -copper)"
    expect 2 P search -i "$D"; says "QUERY is missing" "--after"
    expect 1 P search -i "$D" ''
}

@test "scores do not depend on filters" {
    one() { P search -i "$D" --json "$@" | jq -c '.hits[] | select(.id == "d") | .score'; }
    same "$(one copper strike)" "$(one copper strike date:2025)"
    same "$(one copper strike)" "$(one --after 2025-09 copper strike)"
}

@test "what is no date: words in a query, a column in a strict one, exit 2 for an option" {
    expect 0 P search -i "$D" --json copper date:soon
    same 'copper date soon [date:soon is no date, taken as words]' "$(jq -r .interpreted <<<"$output")"
    expect 2 P search -i "$D" --strict copper date:soon
    same $'pressmark: query, column 8: date:soon is no date, taken as words\n  copper date:soon\n         ^' "$stderr"
    for bad in soon 03/04/2025 2025-13 2025..2026 ""; do
        expect 2 P search -i "$D" --after "$bad" copper; says "--after: '$bad' is not a date" "2025-09-19"
        expect 2 P batch -i "$D" --before "$bad" /dev/null; says "--before"
    done
}

@test "batch obeys the same options" {
    printf 'copper\ncopper zinc\n' >"$BATS_TEST_TMPDIR/q"
    expect 0 P batch -i "$D" --after 2025-10 --format tsv "$BATS_TEST_TMPDIR/q"
    same "1 1 f 1 2 g 2 1 f 2 2 g" "$(cut -f1-3 <<<"$output" | tr '\t\n' '  ' | sed 's/ $//')"
}

@test "authors whose names have commas, in lists and behind semicolons" {
    local X=$BATS_TEST_TMPDIR/names.idx
    P index -q -i "$X" - <<'END'
{"id":"1","text":"copper","author":["Doe, Jane","Roe and Sons"]}
{"id":"2","text":"copper","author":"Doe, Jane; Lee, Ann"}
{"id":"3","text":"copper","author":["Jane Doe","Ann Lee"]}
END
    A() { P search -i "$X" --format ids --author "$1" | sort | paste -sd' '; }
    same "1 2" "$(A 'doe, jane')"
    same "1 2" "$(A jane)"
    same "1" "$(A 'roe and sons')"
    same "1" "$(A sons)"
    same "2" "$(A 'lee, ann')"
    same "3" "$(A 'ann lee')"
    same "1" "$(A 'doe, jane; roe and sons')"
    same "3" "$(A 'jane doe, ann lee')"
    expect 0 P check --deep -i "$X"
}

@test "source, author, tag, lang: exact values in any case, alternatives within a field" {
    local X=$BATS_TEST_TMPDIR/fields.idx
    P index -q -i "$X" - <<'END'
{"id":"1","text":"copper","source":"Reuters","author":"Jane Doe, José Pérez","tags":["metal","Trade  war"],"lang":"en-GB"}
{"id":"2","text":"copper","source":"AP","author":"John Roe and Jane Doe","tags":["metal"],"lang":"en"}
{"id":"3","text":"copper","source":"Reuters Asia","author":"O’Brien","lang":"de"}
{"id":"4","text":"copper","source":"(ap)"}
{"id":"5","text":"source reuters copper"}
END
    F() { P search -i "$X" --format ids "$@" | sort | paste -sd' '; }
    same "1" "$(F --source reuters copper)"
    same "1 2" "$(F --source REUTERS --source=ap copper)"
    same "1" "$(F --source reuters --source ap --tag 'trade war' copper)"
    same "" "$(F --source reuters --tag metal --author "o'brien" copper)"
    same "1 2" "$(F --author 'jane doe' copper)"
    same "1" "$(F --author 'jane doe, jose perez' copper)"
    same "1 2" "$(F 'author:"Jane  DOE" copper')"
    same "1" "$(F 'author:"jose perez" copper')"
    same "3" "$(F "author:o'brien copper")"
    same "2 4 5" "$(F 'copper -source:reuters -lang:de')"
    same "1 2" "$(F lang:en)"
    same "1" "$(F lang:en-gb copper)"
    same "1 3" "$(F 'copper (source:reuters OR lang:de)')"
    same "4" "$(F --source '(ap)' copper)"
    same "4" "$(F 'source:"(ap)"')"
    same "1 2 5" "$(F 'tag:metal OR reuters')"
    same 2 "$(P search -i "$X" --count tag:metal lang:en)"
    expect 1 P search -i "$X" --count tag:metal --after 1990; same 0 "$output"
    expect 2 P search -i "$X" --tag "" copper; says "--tag" "empty"
    expect 2 P search -i "$X" --tag "'" copper; says "tag: without a value"
    expect 0 P check --deep -i "$X"
    P delete -i "$X" 1
    same "2" "$(F --author 'jane doe' copper)"
    P optimize -q -i "$X"
    same "2" "$(F --author 'jane doe' copper)"
    expect 0 P check --deep -i "$X"
    expect 0 P dump -i "$X"; grep -q '^term field:aj' <<<"$output"
}
