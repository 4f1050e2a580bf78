package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"dclone"
	"dclone/address"
	"dclone/datomic/live"
	"dclone/datomic/local"
	"dclone/dest"
	destlocal "dclone/dest/local"
	"dclone/session"
)

// isLive reports whether a running Datomic has the clone. There is no directory of its own then: its sidecar lies among
// those of others, and the sidecar's lock is the clone's.
func (p place) isLive() bool { return isLive(p.address) }

// checkKind refuses a sidecar of a clone that is written in the other way: directly, or through a running Datomic.
func (p place) checkKind(s *sidecar) error {
	if s.session.Live() == p.isLive() {
		return nil
	}
	of := "a clone that dclone writes itself"
	if s.session.Live() {
		of = "a live clone"
	}
	return &failure{codeDiverged, fmt.Errorf("sync clone %s: the sidecar %s is of %s", p.address, p.state, of),
		"to sync it at the address " + shellWord(s.session.Dest.Address)}
}

// notInName is what the names of files are better without.
var notInName = regexp.MustCompile(`[^\pL\pN._-]+`)

// liveSidecar returns where the sidecar of a live clone is. All spellings of the clone's address have the same, so that
// also the directory of one that Datomic Local has leads there.
func liveSidecar(a address.Address) (string, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) {
		home := os.Getenv("HOME")
		if !filepath.IsAbs(home) {
			return "", &failure{codeUsage, fmt.Errorf("keep sidecar of %s: HOME is not set", a), "--state FILE, or XDG_STATE_HOME"}
		}
		dir = filepath.Join(home, ".local", "state")
	}
	name := notInName.ReplaceAllString(databaseName(a), "_")
	sum := sha256.Sum256([]byte(address.Identity(a)))
	return filepath.Join(dir, "dclone", fmt.Sprintf("%.60s-%x.state", name, sum[:6])), nil
}

// batchSize returns how many datoms a transaction of a first copy has unless the user says otherwise.
func (p place) batchSize() int {
	if p.isLive() {
		return session.DefaultLiveBatchSize
	}
	return session.DefaultBatchSize
}

// makeHome makes the directory of the sidecar, and makes sure that a file can be made there, before a database is.
func (p place) makeHome() error {
	dir := filepath.Dir(p.state)
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, "dclone-*"); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	if err != nil {
		return &failure{codeUsage, fmt.Errorf("keep sidecar of %s: %w", p.address, err), tryHome}
	}
	return nil
}

// tryHome is where sidecars of live clones can be kept instead.
const tryHome = "--state FILE, or XDG_STATE_HOME, where a file can be made"

// databaseName returns that of a clone's database.
func databaseName(a address.Address) string {
	if a, ok := a.(address.Local); ok {
		return a.DB
	}
	_, _, name := liveArgs(a)
	return name
}

// allow refuses to write to another machine, unless the user has named it.
func (p place) allow(names []string) error {
	name, here := address.Host(p.address)
	if here || slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) }) {
		return nil
	}
	return &failure{codeUsage, fmt.Errorf("clone to %s: it is on %s, which is not this machine, and was not allowed by name", p.address, name),
		"--allow-dest " + shellWord(name) + ", if that is no database that others need"}
}

// dying is how long a JVM may take to be gone when its dclone is.
const dying = 2 * time.Second

// awaitUnheld is unheld, waiting for as long as told, and at least for a JVM that is dying.
func (p place) awaitUnheld(ctx context.Context, wait time.Duration) error {
	return whileLocked(ctx, max(wait, dying), p.unheld)
}

// unheld makes sure that no other process has the clone's database open, where that can be told: Datomic Local has it
// open in one at a time.
func (p place) unheld() error {
	dir := directory(p.address)
	if dir == "" {
		return nil
	}
	holders, err := destlocal.Holders(dir)
	if err == nil && len(holders) > 0 {
		return fmt.Errorf("lock %s: %w", holders[0].File, local.ErrLocked)
	}
	return dclone.InDest(err)
}

// gone is what a sidecar without its database ends with.
func (p place) gone() error {
	err := fmt.Errorf("open clone %s: its sidecar is there, the database is gone: %w", p.address, dest.ErrStale)
	if !p.isLive() {
		return err
	}
	return &failure{codeDiverged, err, "clone and sidecar restored together, or dclone sync --restart <source> <dest>, which makes it anew and copies afresh"}
}

// dropCall is how a live clone is deleted. Datomic's library does it for whoever asks, and dclone does not.
func (p place) dropCall() string {
	api, _, name := liveArgs(p.address)
	if api == live.PeerAPI {
		return fmt.Sprintf("(d/delete-database %q)", address.Redact(p.address.String()))
	}
	return fmt.Sprintf("(d/delete-database client {:db-name %q})", name)
}

var errKept = errors.New("dclone deletes no database that a running Datomic has")
