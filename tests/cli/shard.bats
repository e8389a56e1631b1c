# Shards of a Xapian index behind real servers (xapian-tcpsrv): whole, dead, slow, strange.
load helper

setup_file() {
    allow_xapian
    export DOCS=$BATS_FILE_TMPDIR/docs.jsonl Q=$BATS_FILE_TMPDIR/queries ONE=$BATS_FILE_TMPDIR/one.idx
    awk 'BEGIN { srand(7); for (i = 0; i < 300; i++) { t = ""; n = 5 + int(rand() * 60)
        for (j = 0; j < n; j++) t = t " w" substr("abcdefghijklmnopqrstuvwxyz", 1 + int(26 * rand() * rand()), 1) "q"
        printf "{\"id\":\"d%d\",\"title\":\"w%cq talks\",\"text\":\"%s\",\"date\":\"20%02d-03-04\",\"source\":\"s%d\"}\n", i, 97 + i % 26, t, i % 26, i % 3 } }' >"$DOCS"
    printf '%s\n' 'waq wbq' '+wcq wdq -weq' '"waq wbq"' 'wfq OR (wgq AND whq)' '"wiq waq"~4 wbq' 'title:waq wcq' \
        'waq source:s1' 'wzq date:2005..2012' 'talks' 'wbq^3 wmq' 'zymurgy' >"$Q"
    "$PRESSMARK" index -q -i "$ONE" --engine xapian "$DOCS"
}

setup() {
    cd "$BATS_TEST_TMPDIR" || exit
    X=$BATS_TEST_TMPDIR/x.idx
}
teardown() {
    if [ -e "$X/servers.pid" ]; then P shard stop "$X" || true; fi
    local pid
    for pid in $STARTED ${FAKE:-}; do kill "$pid" 2>/dev/null || true; done
}

# serve N: the collection in N databases behind N servers.
serve() {
    P index -q -i "$X" --engine xapian --shards "$1" "$DOCS"
    local try
    for try in 1 2 3 4 5; do
        PORT=$((20000 + RANDOM % 12000))
        P shard start --port $PORT "$X" 2>start.log && return
    done
    cat start.log; return 1
}
# Processes of the servers.
pid_of() { sed -n "$(($1 + 1))s/ .*//p" "$X/servers.pid"; }

# Ranks, ids and scores to ten digits of all queries.
answers() { P batch --format tsv -k 400 "$@" "$Q" | awk -F'\t' '{ printf "%s %s %s %.10g\n", $1, $2, $3, $4 }'; }

for_shards() {
    serve "$1"
    same "$(answers -i "$ONE" --weight xapian)" "$(answers -i "$X/servers")"
    same "$(answers -i "$ONE" --weight xapian)" "$(answers -i "$X/servers" --threads 2)"
    same "$(answers -i "$ONE" --weight xapian)" "$(answers -i "$X" --weight xapian)"
    same "$(answers -i "$ONE")" "$(answers -i "$X")"
    same "$(P search -i "$ONE" --json wbq | jq .total)" "$(P search -i "$X/servers" --json wbq | jq .total)"
}

@test "one shard: the answers of the index that is not sharded" { for_shards 1; }
@test "two shards" { for_shards 2; }
@test "four shards" { for_shards 4; }
@test "eight shards" { for_shards 8; }

@test "shard start, status, stop; what is wrong is said" {
    serve 2
    expect 0 P shard status "$X"; same "up up" "$(cut -f4 <<<"$output" | paste -sd' ')"
    expect 2 P shard start --port $PORT "$X"; says "run already"
    P index -q -i y.idx --engine xapian "$DOCS"
    expect 2 P shard start --port $PORT y.idx; says "taken"
    kill "$(pid_of 1)"; while kill -0 "$(pid_of 1)" 2>/dev/null; do sleep 0.02; done
    expect 3 P shard status "$X"; same "up down" "$(cut -f4 <<<"$output" | paste -sd' ')"
    expect 0 P shard stop "$X"
    expect 1 P shard status "$X"; mentions "no servers"
    expect 1 P shard stop "$X"
    expect 2 P shard start /nonexistent; says "no index"
    mv "$X/shard-1" kept
    expect 4 P shard start --port $PORT "$X"; says "x.idx/shard-1: No such file"
    expect 1 P shard status "$X"
    mv kept "$X/shard-1"; mv "$X/xapian" kept
    expect 2 P shard start --port $PORT "$X"; says "no index"
    expect 2 P shard start
    [ ! -e "$X/servers" ]
}

@test "a list of servers and a stub file are the same; other text is refused" {
    serve 2
    local name=localhost
    getent hosts $name >/dev/null || name=127.0.0.1 # a folder made by debootstrap has no /etc/hosts
    local list=tcp:127.0.0.1:$PORT,tcp:$name:$((PORT + 1))
    expect 0 P search -i "$list" --json wbq
    same "$(jq -c '[.hits[].id]' <<<"$output")" "$(P search -i "$X/servers" --json wbq | jq -c '[.hits[].id]')"
    [[ $(jq -r .interpreted <<<"$output") == *"Xapian's BM25Weight"* ]]
    same "$(P show -i "$ONE" d17)" "$(P show -i "$list" d17)"
    same 300 "$(P stats -i "$list" --json | jq .documents)"
    same 300 "$(P search -i "$list" --count talks)"
    printf '# local and far\nauto x.idx/shard-0\nremote 127.0.0.1:%s\n' $((PORT + 1)) >mixed
    same "$(P search -i "$list" --format ids wbq)" "$(P search -i mixed --format ids wbq)"
    expect 2 P search -i tcp:nohost x; says "tcp:HOST:PORT"
    expect 2 P search -i tcp:a:1,b:2 x; says "tcp:HOST:PORT"
    expect 2 P search -i tcp:a:99999 x; says "tcp:HOST:PORT"
    echo 'inmemory' >bad; expect 2 P search -i bad x; says "line 1"
    : >empty; expect 2 P search -i empty x; says "names no database"
    head -c 3000000 /dev/zero | tr '\0' 'x' >large; expect 2 P search -i large x; says "too large"
    expect 2 P index -i "$list" "$DOCS"
}

@test "a dead server: exit 3 with the others' results, and its name; --require-all makes it fatal" {
    serve 4
    kill "$(pid_of 2)"; while kill -0 "$(pid_of 2)" 2>/dev/null; do sleep 0.02; done
    expect 3 P search -i "$X/servers" -k 400 --format ids talks; says "tcp:127.0.0.1:$((PORT + 2))" "3 of 4 servers"
    same "$(P search -i "$X/shard-0" --format ids talks 2>/dev/null | wc -l)" 0
    printf 'auto x.idx/shard-%s\n' 0 1 3 >others
    same "$(P search -i others --weight xapian -k 400 --format ids talks)" "$output"
    expect 5 P search -i "$X/servers" --require-all talks; says "tcp:127.0.0.1:$((PORT + 2))"
    expect 3 P batch -i "$X/servers" "$Q"; says "3 of 4 servers"
    expect 5 P batch -i "$X/servers" --require-all "$Q"
    expect 3 P stats -i "$X/servers"; says "3 of 4"
    P shard stop "$X"
    expect 5 P search -i "tcp:127.0.0.1:$PORT" talks; says "no server answers"
}

@test "one killed in the middle of a batch: every query is answered" {
    serve 4
    for i in $(seq 200); do cat "$Q"; done >many
    P batch -i "$X/servers" --threads 2 --format jsonl -k 5 many >out 2>err & local batch=$!
    while [ ! -s out ]; do sleep 0.01; done
    kill "$(pid_of 1)"
    wait $batch && code=0 || code=$?
    [ "$code" = 3 ] && [ "$(wc -l <err)" = 1 ] || { echo "exit $code"; cat err; false; }
    grep -q "tcp:127.0.0.1:$((PORT + 1))" err
    same "$(seq "$(wc -l <many)" | cksum)" "$(jq -r .qid out | cksum)"
}

@test "a slow server is waited for as long as was said" {
    serve 2
    kill -STOP -- "-$(pid_of 0)"
    local before=$SECONDS
    expect 3 P search -i "$X/servers" --timeout 300 --format ids talks; says "tcp:127.0.0.1:$PORT"
    [ $((SECONDS - before)) -lt 5 ]
    expect 5 P search -i "$X/servers" --timeout 300 --require-all talks
    kill -CONT -- "-$(pid_of 0)"
    expect 0 P search -i "$X/servers" --timeout 5000 --format ids talks
}

# fake PORT BYTES: a server that greets with these bytes, hexadecimal.
fake() {
    perl -MIO::Socket::INET -e '$l = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => shift,
        Listen => 5, ReuseAddr => 1) or exit 1; alarm 600;
        while ($c = $l->accept) { syswrite($c, pack("H*", $ARGV[0])); close $c; last if $once }' "$@" 3>&- &
    FAKE=$!
}

# hang_up PORT TO: a server that greets as the one at TO does, and hangs up when it is asked.
hang_up() {
    perl -MIO::Socket::INET -e 'sub at { (LocalAddr => "127.0.0.1", LocalPort => $_[0], Listen => 5, ReuseAddr => 1) }
        $l = IO::Socket::INET->new(at(shift)) or exit 1; alarm 600;
        while ($c = $l->accept) {
            $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0]) or exit 1;
            sysread($s, $b, 65536); syswrite($c, $b); sysread($c, $b, 65536); shutdown($c, 1);
            while (sysread($c, $b, 65536)) { } # what is unread at the end would be a reset
            close $c; close $s
        }' "$@" 3>&- &
    FAKE=$!
}

@test "a server that hangs up when it is asked is named, and the others answer" {
    serve 2
    local bad=$((PORT + 3000))
    hang_up $bad $((PORT + 1))
    sleep 0.3
    expect 3 P search -i "tcp:127.0.0.1:$PORT,tcp:127.0.0.1:$bad" --format ids talks; says "tcp:127.0.0.1:$bad: no answer"
    expect 5 P search -i "tcp:127.0.0.1:$PORT,tcp:127.0.0.1:$bad" --require-all talks; says "tcp:127.0.0.1:$bad"
    kill $FAKE
}

@test "a server of another version, and one that talks nonsense" {
    serve 2
    local fake_port=$((PORT + 2000))
    fake $fake_port 003163010500ff0881ffba31ff5d9166396534613533662d643964662d346361312d393765372d633364396665346232306534
    sleep 0.3
    expect 3 P search -i "tcp:127.0.0.1:$PORT,tcp:127.0.0.1:$fake_port" --timeout 1000 --format ids talks; says "$fake_port"
    expect 5 P search -i "tcp:127.0.0.1:$fake_port" --require-all --timeout 1000 talks; says "version"
    kill $FAKE
    fake $((fake_port + 1)) ffffffffffffffffffffffffffffff
    local nonsense=$FAKE
    sleep 0.3
    expect 5 P search -i "tcp:127.0.0.1:$((fake_port + 1))" --require-all --timeout 1000 talks
    kill $nonsense
}

@test "a database that is not pressmark's is refused" {
    serve 1
    P shard stop "$X"
    mkdir foreign
    P index -q -i f.idx --engine xapian "$DOCS"
    echo 'auto f.idx/shard-0/docdata.glass' >stub; expect 5 P search -i stub x
    echo 'auto nowhere' >stub; expect 5 P search -i stub x; says nowhere
}

# start PROGRAM ARGS...: a server in a process group of its own, ended with the test.
start() {
    setsid "$@" >server.log 2>&1 3>&- & STARTED="$STARTED $!"
    sleep 0.3
    kill -0 $! 2>/dev/null
}

# replicate PORT: shard-0 into the folder `copy`, once; says what was sent.
replicate() { timeout 30 xapian-replicate -v -o -r 0 -h 127.0.0.1 -p "$1" -m shard-0 copy; }

@test "a copy that xapian-replicate keeps answers like the shard" {
    command -v xapian-replicate-server >/dev/null || skip "xapian-replicate-server is not installed"
    export XAPIAN_MAX_CHANGESETS=10
    STARTED='' PORT=''
    head -n 200 "$DOCS" | P index -q -i "$X" --engine xapian --shards 2 -
    for try in 1 2 3 4 5; do
        PORT=$((20000 + RANDOM % 12000))
        start xapian-replicate-server -I 127.0.0.1 -p $PORT "$X" && break
    done
    [[ $(replicate $PORT) == *"1 copies, 0 changesets"* ]]
    start xapian-tcpsrv -q -I 127.0.0.1 -p $((PORT + 1)) copy
    start xapian-tcpsrv -q -I 127.0.0.1 -p $((PORT + 2)) "$X/shard-1"
    local both=tcp:127.0.0.1:$((PORT + 1)),tcp:127.0.0.1:$((PORT + 2))
    same "$(answers -i "$X" --weight xapian)" "$(answers -i $both --require-all)"
    P index -q -i "$X" "$DOCS"
    P delete -q -i "$X" d3 d4 d5
    [[ $(replicate $PORT) == *"0 copies, 2 changesets"* ]]
    same "$(answers -i "$X" --weight xapian)" "$(answers -i $both --require-all)"
    P optimize -q -i "$X"
    [[ $(replicate $PORT) == *"1 copies, 0 changesets"* ]]
    same "$(answers -i "$X" --weight xapian)" "$(answers -i $both --require-all)"
    [[ $(replicate $PORT) == *"0 copies, 0 changesets"* ]]
}

# Named network namespaces, a pair of linked interfaces each: servers with addresses of their own.
@test "servers on hosts of their own" {
    command -v ip >/dev/null && [ "$(id -u)" = 0 ] || skip "needs root and ip"
    local net=pm$$ i
    ip netns add $net-0 2>/dev/null || skip "no network namespaces"
    P index -q -i "$X" --engine xapian --shards 2 "$DOCS"
    ip netns add $net-1
    ip link add $net-a type veth peer name $net-b netns $net-1 2>/dev/null ||
        { ip netns del $net-0; ip netns del $net-1; skip "no linked interfaces"; }
    ip link set $net-a netns $net-0
    ip -n $net-0 addr add 10.99.0.1/24 dev $net-a; ip -n $net-0 link set $net-a up; ip -n $net-0 link set lo up
    ip -n $net-1 addr add 10.99.0.2/24 dev $net-b; ip -n $net-1 link set $net-b up
    setsid ip netns exec $net-0 xapian-tcpsrv -q --port 7700 --interface 10.99.0.1 "$X/shard-0" >/dev/null 2>&1 3>&- & local a=$!
    setsid ip netns exec $net-1 xapian-tcpsrv -q --port 7700 --interface 10.99.0.2 "$X/shard-1" >/dev/null 2>&1 3>&- & local b=$!
    sleep 1
    local both=tcp:10.99.0.1:7700,tcp:10.99.0.2:7700
    run ip netns exec $net-0 "$PRESSMARK" search -i $both -k 400 --format ids wbq
    local whole=$output
    ip -n $net-1 link set $net-b down
    run --separate-stderr ip netns exec $net-0 "$PRESSMARK" search -i $both --timeout 500 -k 400 --format ids wbq
    local code=$status said=$stderr
    kill $a $b; ip netns del $net-0; ip netns del $net-1
    same "$(P search -i "$ONE" --weight xapian -k 400 --format ids wbq)" "$whole"
    same 3 "$code"
    [[ $said == *"10.99.0.2:7700"* ]]
}
