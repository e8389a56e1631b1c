# What `make demo` and `make test` do where packages are missing (.ci/setup), with commands that only
# note what they are asked.
load helper

# fake NAME: a command whose script stands on standard input.
fake() { { echo '#!/bin/sh'; cat; } > "$BIN/$1"; chmod +x "$BIN/$1"; }

setup() {
    BIN=$BATS_TEST_TMPDIR/bin
    export ASKED=$BATS_TEST_TMPDIR/asked
    mkdir "$BIN"; : > "$ASKED"
    for c in sh grep env; do ln -s "$(command -v $c)" "$BIN/$c"; done
    fake id <<< 'echo 1000'
    # gcc is held, make is removed but for its settings, the others were never there.
    fake dpkg-query <<'END'
case $4 in gcc) echo 'hi ' ;; make) echo 'rc ' ;; *) echo "no package $4" >&2; exit 1 ;; esac
END
    fake apt-get <<< 'echo "apt-get $* ${DEBIAN_FRONTEND-}" >> "$ASKED"'
}
set_up() { PATH=$BIN sh "$ROOT/.ci/setup" "$@"; }

@test "what is held is installed, what is removed is not; the command that installs the rest is said" {
    expect 0 set_up --check gcc
    same "" "$output$stderr"
    expect 1 set_up --check 'gcc make jq'
    mentions "missing packages: make jq"
    mentions "apt-get install make jq"
    same "" "$(cat "$ASKED")"
}

@test "neither root nor sudo: nothing is tried, and what root should do is said" {
    expect 1 set_up --install 'gcc jq'
    same "" "$output$(cat "$ASKED")"
    mentions "need root to install missing packages: jq"
    mentions "apt-get install jq"
}

@test "through sudo, which drops the environment, apt asks no questions" {
    fake sudo <<< 'exec env -i PATH="$PATH" ASKED="$ASKED" "$@"'
    expect 0 set_up --install 'gcc jq'
    same "==> installing missing packages with apt: jq" "$output"
    same $'apt-get update -qq \napt-get install -y -qq --no-install-recommends jq noninteractive' "$(cat "$ASKED")"
}

@test "lists that cannot be updated end nothing; packages that cannot be had are named" {
    fake id <<< 'echo 0'
    fake apt-get <<< 'echo "$1" >> "$ASKED"; exit 100'
    expect 1 set_up --install 'gcc jq'
    same $'update\ninstall' "$(cat "$ASKED")"
    mentions "apt could not install: jq"
    mentions "apt-get install jq"
}
