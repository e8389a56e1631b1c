# Queries made to kill: each ends soon, in little memory, on a small stack, with 0, 1 or 2, and
# the ordinary query behind it is answered.  What comes back is not looked at here.
load helper

setup_file() {
    export X=$BATS_FILE_TMPDIR/idx Q=$BATS_FILE_TMPDIR/q
    mkdir "$Q"
    # Every word in every article, many times: long lists, and phrases that are nearly there.
    awk 'BEGIN {for (i = 0; i < 1500; i++) {s = ""; for (k = 0; k < 60; k++)
        s = s " to be or not to be w" (i * k) % 211
        print "{\"id\":\"" i "\",\"title\":\"to be w" i "\",\"text\":\"" s "\"}"}}' \
        | "$PRESSMARK" index -q -i "$X" -
}

# times N TEXT: the text N times.
times() { yes -- "$2" | head -n "$1" | tr -d '\n'; }

# Small stacks and 512 MiB; a sanitizer needs more of both.
confined() (
    if is_asan; then ulimit -s 4096; else ulimit -s 256; ulimit -v 524288; fi
    exec timeout -k 1 10 "$PRESSMARK" "$@"
)

# survives FILE: as a query of a batch in each way of matching, as text to analyse, and, when an
# argument can hold it, as a query of search.
survives() {
    local match options text file=$1
    { printf 'q\t'; tr -d '\n' <"$file"; printf '\nafter\tto be w7\n'; } > batch.txt
    for match in auto any; do
        expect 0 confined batch -i "$X" --match $match batch.txt
        grep -q '^after Q0' <<<"$output" || { echo "$file: nothing after it"; return 1; }
    done
    expect 0 confined analyze - < "$file"
    # An argument has no zero bytes and at most 128 KiB.
    text=$(head -c 120000 "$file" | tr -d '\0')
    for options in '--match=all --json --explain' --strict; do
        run --separate-stderr confined search -i "$X" $options -- "$text"
        [ "$status" -le 2 ] || { echo "$file $options: exit code $status: $stderr"; return 1; }
    done
    printf 'COUNT\t%s\nCOUNT\tto be w7\n' "$text" | tr -d '\r' > protocol.txt
    expect 0 confined bench protocol -i "$X" < protocol.txt
    [ "$(tail -n 1 <<<"$output")" = 1500 ]
}

setup() { cd "$BATS_TEST_TMPDIR"; }

@test "depth: a million parentheses, chains of NOT, groups within groups" {
    times 1000000 '(' > open; times 1000000 ')' > close; times 300000 '()' > empty
    times 100000 'NOT ' > nots; times 30000 'NOT (' > groups; times 20000 '(to AND (be OR ' > mix
    times 20000 'title:(' > fields; times 60000 '-(' > minus; times 60000 '+(to ' > plus
    for f in *; do survives $f; done
}

@test "width: 100,000 words of OR, phrases of 10,000 words, quotes left open" {
    times 100000 'to OR ' > or; times 100000 'be AND ' > and; times 100000 'to be ' > words
    times 10000 '"to ' > quotes; times 1000 '"to be or not" OR ' > phrases
    { printf '"'; times 10000 'to be '; printf '"'; } > phrase
    { printf '"'; times 10000 'to be '; printf '"~99999999999999999999'; } > near
    times 10000 '"to be"~5 ' > nears; times 200000 'x' > long; times 3000 'to-be-or-not-' > joined
    for f in *; do survives $f; done
}

@test "what would explode: repeated classes, wildcards, edit distances, weights" {
    times 1 '[ab]{1000}{1000}{1000}' > regex; times 1000 '[ab]{1000}' > classes
    times 1 '(.*a){30}' > dots; times 5000 'w* ' > prefixes; times 3000 'w?? ' > wild
    times 3000 'w1~2 ' > fuzzy; times 3000 'to^1e308 ' > weights
    times 1000 'to^nan be^inf or^-1 not^0x1p1024 ' > odd
    times 2000 'date:0001..9999 ' > dates; times 2000 'source:"a' > sources
    for f in *; do survives $f; done
}

@test "64 KiB of each operator" {
    local n=0 op
    for op in '(' ')' '"' "'" '+' '-' '*' '?' '~' '^' '=' ':' '[' ']' '{' '}' '|' '&' '!' '\' '/' '<' \
        '>' ',' '.' '%' '#' '@' '$' ';' '`' '_' '“' '”' 'AND ' 'OR ' 'title:' 'date:' 'after:..'; do
        n=$((n + 1))
        times 65536 "$op" | head -c 65536 > $n
        survives $n
    done
}

@test "bytes that are no text: invalid UTF-8, zero bytes, every byte" {
    times 65536 $'\xff' > ff; times 30000 $'\xc0\xaf' > overlong; times 20000 $'\xed\xa0\x80' > surrogate
    times 16000 $'\xf4\x90\x80\x80' > beyond; times 30000 $'\xe2\x80' > cut
    head -c 65536 /dev/zero > zeros; head -c 65536 /dev/zero | tr '\0' '\200' > tails
    awk 'BEGIN {for (r = 0; r < 200; r++) for (i = 1; i < 256; i++) printf "%c", i}' > all
    times 20000 $'e\xcc\x81\xcc\x81' > marks; times 20000 $'\xe4\xb8\xad' > han
    for f in *; do survives $f; done
}

@test "numbers: k and offset to 2^63 and beyond" {
    for k in 0 1 1024 1000000000; do
        expect 0 confined search -i "$X" -k $k --count to
        run confined search -i "$X" -k $k --offset $k --format ids to; [ "$status" -le 1 ]
        run confined search -i "$X" -k $k --offset 1 --format ids w7 w9; [ "$status" -le 1 ]
    done
    for k in 4294967296 9223372036854775807; do
        run confined search -i "$X" --offset $k --format ids to; [ "$status" -le 2 ]
        run confined search -i "$X" -k $k --format ids to; [ "$status" -le 2 ]
    done
    for k in 9223372036854775808 18446744073709551616 -1 1e9 0x10 ''; do
        expect 2 confined search -i "$X" -k "$k" to
        expect 2 confined search -i "$X" --offset "$k" to
    done
    expect 0 confined search -i "$X" -k 1000000000 --format ids to
    [ "${#lines[@]}" -eq 1500 ]
}
