//go:build unix

package main

import "fmt"

// What PostgreSQL is needed for is left out where there is none; so is Datomic's own code, but for
// verify-backup: its database is the one in PostgreSQL.

func (p *proPlace) reading() ([]*row, error) {
	rows := []*row{
		{name: "log scan", command: []string{p.self, "pro-scan", "backup", p.source}},
		{name: "dclone log --json", silent: true, command: []string{p.dclone, "log", "--json", p.at(p.new)}},
	}
	if p.postgres == nil {
		return rows, nil
	}
	if err := p.postgres.source.clear(); err != nil {
		return nil, err
	}
	scan := &row{name: "log scan, PostgreSQL", command: []string{p.self, "pro-scan", "storage", p.postgres.source.jdbc}}
	return append(rows, scan,
		&row{name: "d/tx-range, Datomic", once: true, ours: scan, command: p.datomic.call("scan", p.postgres.source.uri())},
	), p.store(p.new)
}

func (p *proPlace) cloning() ([]*row, error) {
	sync := []string{p.dclone, "sync", "--quiet", p.at(p.old), "datomic-local:" + p.clone}
	local := []string{p.dclone, "sync", "--quiet", "datomic-local:" + p.clone, "datomic-local:" + p.again}
	rows := []*row{
		{name: "first copy, --no-index", prepare: without(p.clone), command: append(sync, "--no-index")},
		{name: "first copy", prepare: without(p.clone), command: sync},
		{name: "first copy, --max-memory 16MiB", prepare: without(p.clone), command: append(sync, "--max-memory", "16MiB")},
		{name: "first copy of that clone", prepare: without(p.again), command: local},
		{name: "no-op", command: sync},
		{name: "verify", command: []string{p.dclone, "verify", p.at(p.old), "datomic-local:" + p.clone}},
	}
	if p.postgres == nil {
		return rows, nil
	}
	stored := []string{p.dclone, "sync", "--quiet", p.postgres.source.uri(), "datomic-local:" + p.again}
	return append(rows,
		&row{name: "first copy, PostgreSQL", prepare: without(p.again), command: stored},
		&row{name: "no-op, PostgreSQL", command: stored},
	), nil
}

func (p *proPlace) catchingUp() ([]*row, error) {
	if err := copyTree(p.clone, p.kept); err != nil {
		return nil, err
	}
	before := func() error { return copyTree(p.kept, p.clone) }
	sync := []string{p.dclone, "sync", "--quiet", p.at(p.new), "datomic-local:" + p.clone}
	rows := []*row{
		{name: "catch-up, --no-index", prepare: before, command: append(sync, "--no-index")},
		{name: "catch-up", prepare: before, command: sync},
	}
	if p.postgres != nil {
		rows = append(rows, &row{name: fmt.Sprintf("%d polls, PostgreSQL", polls), command: []string{p.self, "pro-poll", p.postgres.source.jdbc}})
	}
	return rows, nil
}

func (p *proPlace) backingUp() ([]*row, error) {
	to := []string{"--quiet", "file:" + p.backup}
	rows := []*row{
		{name: "backup", prepare: without(p.backup), command: append([]string{p.dclone, "backup", p.at(p.old)}, to...)},
	}
	if p.postgres == nil {
		return rows, nil
	}
	stored := &row{name: "backup, PostgreSQL", prepare: without(p.backup),
		command: append([]string{p.dclone, "backup", p.postgres.source.uri()}, to...)}
	return append(rows, stored,
		&row{name: "backup, Datomic", once: true, ours: stored, prepare: without(p.theirs),
			command: p.datomic.call("backup", p.postgres.source.uri(), p.theirs)},
	), p.store(p.old)
}

func (p *proPlace) backingUpSince() ([]*row, error) {
	if err := copyTree(p.backup, p.keptBackup); err != nil {
		return nil, err
	}
	before := func() error { return copyTree(p.keptBackup, p.backup) }
	to := []string{"--quiet", "file:" + p.backup}
	rows := []*row{
		{name: "differential backup", prepare: before, command: append([]string{p.dclone, "backup", p.at(p.new)}, to...)},
	}
	if p.postgres == nil {
		return rows, nil
	}
	stored := &row{name: "differential backup, PostgreSQL", prepare: before,
		command: append([]string{p.dclone, "backup", p.postgres.source.uri()}, to...)}
	return append(rows, stored,
		&row{name: "differential backup, Datomic", once: true, ours: stored,
			command: p.datomic.call("backup", p.postgres.source.uri(), p.theirs)},
	), p.store(p.new)
}

func (p *proPlace) checking() ([]*row, error) {
	point := fmt.Sprint(p.new)
	present := &row{name: "verify", command: []string{p.dclone, "verify", "file:" + p.backup}}
	read := &row{name: "verify --read-all", command: []string{p.dclone, "verify", "--read-all", "file:" + p.backup}}
	rows := []*row{
		present,
		{name: "verify, Datomic", once: true, ours: present, command: p.datomic.call("verify", p.backup, "false", point)},
		read,
		{name: "verify with read-all, Datomic", once: true, ours: read, command: p.datomic.call("verify", p.backup, "true", point)},
	}
	if p.postgres == nil {
		return rows, nil
	}
	restore := &row{name: "restore, PostgreSQL", prepare: p.postgres.target.clear,
		command: []string{p.dclone, "restore", "--quiet", p.at(p.new), p.postgres.target.uri()}}
	return append(rows, restore,
		&row{name: "restore, Datomic", once: true, ours: restore, prepare: p.postgres.target.clear,
			command: p.datomic.call("restore", p.source, p.postgres.target.uri(), point)},
	), nil
}
