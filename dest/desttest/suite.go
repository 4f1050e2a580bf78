package desttest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/historytest"
	"dclone/session"
	"dclone/source"
	sourcelocal "dclone/source/local"
)

// Caps say where a kind of destination differs from others.
type Caps struct {
	Verbatim   bool     // a transaction is written as it is: its datoms in order, redundant and derived ones too, and no others
	Predicates bool     // :db.attr/preds are carried
	Restart    bool     // a session can throw its clone away
	Parts      bool     // transactions come in parts of any size, of which only what they come to is compared
	Shared     bool     // others can transact while a run is under way
	Loses      []string // reasons, as a session tells them, for which single values of an attribute are not carried
}

// A Clone is a place for a clone, and its sidecar. Nobody has it open between calls.
type Clone interface {
	// Sync is one run: everything opened, the clone brought up to the basis of src, everything closed.
	Sync(src source.Conn, opt session.Options) (session.Result, error)
	// Sidecar is the file of the sidecar.
	Sidecar() string
	// Read returns what the clone's log says.
	Read(t testing.TB) *historytest.Database
	// Meddle has somebody else transact. Where there is no database, it has one made before.
	Meddle(t testing.TB)
}

// A Kind is a kind of destination.
type Kind struct {
	Caps  Caps
	New   func(t testing.TB) Clone                    // whose place is empty
	Small func(t testing.TB, txs int)                 // makes groups of so many transactions, until t ends
	Judge func(err error) bool                        // whether Datomic itself has refused a transaction, which ends a run rightly
	Check func(t testing.TB, source string, at Clone) // what this kind must do besides; may be nil
	Open  func(t testing.TB, dir string) source.Conn  // reads a source; nil is natively
}

// Run runs the suite.
func Run(t *testing.T, k Kind) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Kind)
	}{
		{"cases", testCases}, {"histories", testHistories}, {"no news", testNoNews}, {"stops", testStops}, {"stops again", testStopsAgain},
		{"meddled with", testMeddled}, {"claims", testClaims}, {"sources", testSources}, {"restart", testRestart},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, k) })
	}
}

// A pair is the directory of a source, and its clone.
type pair struct {
	Kind
	Clone
	src string
}

func (k Kind) pair(t testing.TB, src string) *pair { return &pair{k, k.New(t), src} }

// Sync is one run of k: the source at dir opened, its clone brought up to it.
func (k Kind) Sync(t testing.TB, dir string, c Clone, opt session.Options) (session.Result, error) {
	t.Helper()
	var src source.Conn
	if k.Open != nil {
		src = k.Open(t, dir)
	} else {
		local, err := sourcelocal.Open(dir)
		require.NoError(t, err)
		src = local
	}
	defer src.Close()
	if opt.Jobs == 0 {
		opt.Jobs = 2
	}
	if opt.SourceAddress == "" {
		opt.SourceAddress = "datomic-local:/source"
	}
	opt.DestAddress = "test:/clone"
	return c.Sync(src, opt)
}

func (p *pair) sync(t testing.TB, opt session.Options) (session.Result, error) {
	t.Helper()
	return p.Kind.Sync(t, p.src, p.Clone, opt)
}

func (p *pair) must(t testing.TB, opt session.Options) session.Result {
	t.Helper()
	r, err := p.sync(t, opt)
	require.NoError(t, err)
	return r
}

func (p *pair) check(t testing.TB) {
	t.Helper()
	p.Kind.Compare(t, p.src, p.Clone)
}

// Compare fails t unless the clone is what it should be after a run.
func (k Kind) Compare(t testing.TB, src string, c Clone) {
	t.Helper()
	Check(t, k.Caps, src, c)
	if k.Check != nil {
		k.Check(t, src, c)
	}
}

// length returns the number of the clone's transactions, 0 where there is no clone.
func (p *pair) length(t testing.TB) int {
	t.Helper()
	return len(p.Read(t).Txs)
}
