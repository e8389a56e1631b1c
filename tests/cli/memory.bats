# --memory is kept, whatever the articles are: peak memory is the limit and 64 MiB at most.
# Shapes that take more than their bytes say: words that never come twice, many articles of
# megabytes on their way, a line of JSON with more keys than a program would make.
load helper

setup() {
    cd "$BATS_TEST_TMPDIR" || exit
    X=$BATS_TEST_TMPDIR/x.idx
    ! is_asan || skip "the sanitizers' own memory is not counted"
}

# distinct BYTES [FROM]: words of seven letters, from the FROM-th on, none twice
distinct() { seq -f %07.0f "${2:-1}" $((${2:-1} + $1 / 8)) | tr '0-9\n' 'a-j '; }

# kept LIMIT_MB ARGS...: index, and what it takes
kept() {
    local most=$((($1 + 64) * 1048576)) rc=0
    shift
    rm -rf "$X"
    P index -i "$X" --json "$@" >report 2>said || rc=$?
    [ "$rc" = 0 ] || [ "$rc" = 3 ]
    jq -r --arg with "${*:1:4}" --argjson most "$most" \
        '"# \($with): peak \(.peak_rss_bytes / 1e6 | round) of \($most / 1e6 | round) MB, \(.skipped) skipped"' report >&3
    jq -e ".peak_rss_bytes <= $most" report || { cat report; return 1; }
}

@test "a text without a repeated word: skipped when its words do not fit, the rest is there" {
    mkdir d; echo first >d/a.txt; echo last >d/z.txt
    distinct 4194304 >d/m.txt
    distinct 12000000 >d/n.txt
    for threads in 1 2; do
        kept 64 --memory 64M --threads $threads d
        same "2 2" "$(jq -r '"\(.added) \(.skipped)"' report)"
        grep -q "d/m.txt: skipped: article m.txt: its words take more than --memory allows" said
        expect 0 P check --deep -i "$X"
    done
    kept 512 --memory 512M d
    same "4 0" "$(jq -r '"\(.added) \(.skipped)"' report)"
    expect 0 P search -i "$X" aaaaabc --format ids
    expect 0 P check --deep -i "$X"
}

@test "a text that fits alone gets a batch of its own, in the same place for any number of threads" {
    for i in 1 2 3; do
        distinct 100000 ${i}000000 | jq -Rsc "{id: \"s$i\", text: .}"
        distinct 1800000 ${i}100000 | jq -Rsc "{id: \"l$i\", text: .}"
    done >d.jsonl
    for threads in 1 2; do
        kept 64 --memory 64M --threads $threads d.jsonl
        same 6 "$(jq .added report)"
        stat -c %s "$X"/?-*.seg >sizes.$threads # their names are random but for the number
        P dump -i "$X" | cksum >dump.$threads
        expect 0 P check --deep -i "$X"
    done
    same 6 "$(wc -l <sizes.1)"
    cmp sizes.1 sizes.2
    cmp dump.1 dump.2
}

@test "sixty articles of two megabytes" {
    distinct 400000 >words
    for i in $(seq 60); do cat words words words words words | jq -Rsc "{id: \"$i\", text: .}"; done >d.jsonl
    for threads in 1 2; do
        kept 64 --memory 64M --threads $threads d.jsonl
        same 60 "$(jq .added report)"
    done
}

@test "one word in a thousand spellings: its list is as long as all of them together" {
    spellings=$(echo {a,A}b{c,C}d{e,E}f{g,G}h{i,I}{j,J}{k,K}{l,L}{m,M}{n,N})
    for threads in 1 2; do
        yes "$spellings" | head -n 45000 | awk '{ printf "{\"id\":\"%d\",\"text\":\"%s\"}\n", NR, $0 }' |
            kept 512 --memory 512M --threads $threads --store=no -
        same 45000 "$(jq .added report)"
    done
}

@test "new words for ever: a table of forms that was made ready is not there when a batch is written" {
    distinct 24000000 | tr ' ' '\n' | paste -sd "$(printf '%0.s ' {1..999})\n" |
        awk '{ printf "{\"id\":\"%d\",\"text\":\"%s\"}\n", NR, $0 }' >d.jsonl
    kept 400 --memory 400M --threads 2 --store=no d.jsonl
}

@test "a line of JSON with many keys, or with long lists: skipped, told, the next line is read" {
    { printf '{"id":"k","text":"x"'; seq -f ',"k%.0f":"v"' 1000000 | tr -d '\n'; echo '}'
      printf '{"id":"l","text":"x","data":[1'; seq -f ',%.0f' 1000000 | tr -d '\n'; echo ']}'
      echo '{"id":"last","text":"last"}'; } >d.jsonl
    for threads in 1 2; do
        kept 64 --memory 64M --threads $threads d.jsonl
        same "1 2" "$(jq -r '"\(.added) \(.skipped)"' report)"
        grep -q "d.jsonl:1: skipped: the line takes more than --memory allows" said
        grep -q "d.jsonl:2: skipped: the line takes more than --memory allows" said
    done
}

@test "articles of words of their own: ten segments at most, and optimize keeps to --memory" {
    distinct 28000000 | tr ' ' '\n' | paste -sd "$(printf '%0.s ' {1..39})\n" | jq -Rc '{id: "\(input_line_number)", text: .}' >d.jsonl
    kept 64 --memory 64M d.jsonl
    [ "$(jq .added report)" -gt 80000 ]
    [ "$(ls "$X"/*.seg | wc -l)" -le 12 ]
    P dump -i "$X" | cksum >before
    expect 0 P optimize -i "$X" --memory 64M
    peak=$(sed -n 's/.*peak memory \([0-9]*\)[0-9.]* MB,.*/\1/p' <<<"$stderr")
    echo "# optimize --memory 64M: peak $peak of 134 MB" >&3
    [ "$peak" -lt 134 ] || { echo "$stderr"; return 1; }
    same 1 "$(ls "$X"/*.seg | wc -l)"
    P dump -i "$X" | cksum | cmp - before
    expect 0 P check --deep -i "$X"
}

# A file system of its own, of so many MB, on $PWD/disk, for the commands of the script that follows.
with_disk() {
    mkdir -p disk
    unshare -m bash -c 'mount -t tmpfs -o size=$1m none disk && shift && eval "$*"' - "$@"
}

@test "optimize without room for files says what it took instead" {
    with_disk 1 true 2>/dev/null || skip "no file system may be mounted here"
    distinct 16000000 | tr ' ' '\n' | paste -sd "$(printf '%0.s ' {1..39})\n" | jq -Rc '{id: "\(input_line_number)", text: .}' >d.jsonl
    P index -q -i "$X" --memory 64M d.jsonl
    P dump -i "$X" | cksum >before
    size=$(du -sm "$X" | cut -f1)
    export PRESSMARK X
    with_disk $((2 * size + 5)) 'cp -r "$X" disk/x; "$PRESSMARK" optimize -i disk/x --memory 1M 2>said
        "$PRESSMARK" dump -i disk/x | cksum >after'
    cmp before after
    grep "took [1-9][0-9.]* MB of memory, more than --memory=1.0 MB says" said
}

@test "large articles of different kinds, one after the other" {
    many() { head -c "$1" <(yes "$2 " | tr -d '\n'); }
    { printf '{"id":"keys","text":"x"'; seq -f ',"k%.0f":"v"' 200000 | tr -d '\n'; echo '}'
      printf '{"id":"tags","text":"x","tags":["'; many 3145728 one; printf '","'; many 3145728 two; echo '"]}'
      printf '{"id":"title","title":"'; distinct 900000 | head -c 900000; many 7000000 redistribution; printf '","text":"'; many 7340032 greenhouses; echo '"}'
      printf '{"id":"list","text":"x","tags":["t"'; seq -f ',"t%.0f"' 300000 | tr -d '\n'; echo ']}'
      printf '{"id":"unknown","text":"x","big":"'; many 14680064 blue; echo '"}'
      printf '{"id":"again","title":"'; many 8000000 redistribution; printf '","text":"'; distinct 900000 2000000; many 6340032 greenhouses; echo '"}'; } >d.jsonl
    for threads in 1 2 4; do
        kept 64 --memory 64M --threads $threads d.jsonl
        same "6 0" "$(jq -r '"\(.added) \(.skipped)"' report)"
        P dump -i "$X" | cksum >dump.$threads
    done
    cmp dump.1 dump.2
    cmp dump.1 dump.4
    expect 0 P check --deep -i "$X"
}
