#!/bin/sh
# Clones a small real Datomic Local database that lies in the repository, lets the source move on,
# catches the clone up, and proves them equal. It needs Go and nothing else.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/dclone" ./cmd/dclone
PATH="$work:$PATH"
source=datomic-local:$work/storage/demo/bookshop
clone=datomic-local:$work/storage/demo/clone
mkdir -p "$work/storage/demo"

say() { printf '\n$ %s\n' "$*" | sed "s|$work|…|g"; }
run() { say "$@"; "$@" 2>&1 | sed "s|$work|…|g"; }

cp -r testdata/demo/demo/bookshop "$work/storage/demo/bookshop"
run dclone sync "$source" "$clone"

say "# the source moves on"
cp testdata/demo/demo/bookshop-later/* "$work/storage/demo/bookshop/"
run dclone sync "$source" "$clone"
run dclone sync "$source" "$clone"
run dclone verify "$source" "$clone"
run dclone status "$clone"
