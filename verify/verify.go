package verify

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"

	"dclone"
	"dclone/eidmap"
	"dclone/source"
	"dclone/state"
)

var (
	// ErrReplaced says that the source is not the database that was cloned, or went back in time.
	ErrReplaced = errors.New("the source was reset or replaced")
	// ErrNotWhole says that the first copy is not finished, so that there is nothing to prove.
	ErrNotWhole = errors.New("its first copy is not finished")
)

// A Database is what Run asks of source and clone. It is part of source.Conn.
type Database interface {
	DatabaseID() string
	Born() dclone.T
	Basis() dclone.T
	First(dclone.DigestKey) (dclone.Digest, error)
	Fingerprint(dclone.DigestKey, dclone.T) (dclone.Fingerprint, error)
	Txs(ctx context.Context, from dclone.T) iter.Seq2[*dclone.Tx, error]
}

// A Store is the clone's sidecar, as state.Store has it.
type Store interface {
	Session() (state.Session, error)
	Position() (state.Position, error)
	View(func(*state.Tx) error) error
}

// A Level says how much is compared.
type Level string

// The levels. Each compares what the one before it does, and more.
const (
	Counts   Level = "counts"   // how many datoms each attribute has
	Checksum Level = "checksum" // sums, replayed transactions, schema, map
	Full     Level = "full"     // and every datom that holds
)

// Options are the choices for one run.
type Options struct {
	Level     Level          // Full where it is ""
	Jobs      int            // goroutines that compare; one per processor where it is 0
	MaxMemory int64          // bytes for datoms; DefaultMaxMemory where it is 0
	TempDir   string         // for what MaxMemory has no room for; os.TempDir() where it is ""
	Limit     int            // differences that are listed; DefaultLimit where it is 0
	Progress  func(Progress) // it is called from several goroutines, by one at a time
}

// The defaults of Options.
const (
	DefaultMaxMemory = 128 << 20
	DefaultLimit     = 100
)

// Progress tells how far a run is.
type Progress struct {
	Stage     Stage
	Done, All int64 // transactions of both logs, or parts that were compared
}

// A Stage is what a run is doing.
type Stage string

// The stages of a run.
const (
	Reading   Stage = "reading"   // both logs
	Rereading Stage = "rereading" // both logs, for the datoms of attributes that differ
	Comparing Stage = "comparing" // datoms
)

// A run holds what one verification works on.
type run struct {
	src, clone Database
	store      Store
	opt        Options

	session state.Session
	live    bool // the clone is one that a running Datomic writes
	pos     state.Position
	cloneT  dclone.T // where the comparison of the clone ends: its recorded t, or before
	born    *births
	mapped  *mapped // nil until the map was read
	found   findings
	meter   meter
}

// Run compares the clone with its source, both as of the position in the clone's sidecar. An
// error says that they could not be compared; differences are in the report.
func Run(ctx context.Context, src, clone Database, store Store, opt Options) (Report, error) {
	r := &run{src: src, clone: clone, store: store, opt: opt.withDefaults()}
	r.found.limit = r.opt.Limit
	r.meter.report = opt.Progress
	if err := r.begin(ctx); err != nil {
		return Report{}, err
	}
	var err error
	if r.born, err = readBirths(ctx, src, clone, r.session.Dest.Kind); err != nil {
		return Report{}, err
	}
	first, err := r.compare(ctx)
	if err != nil {
		return Report{}, err
	}
	return r.report(first)
}

func (o Options) withDefaults() Options {
	if o.Level == "" {
		o.Level = Full
	}
	if o.Jobs <= 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	if o.MaxMemory <= 0 {
		o.MaxMemory = DefaultMaxMemory
	}
	if o.Limit <= 0 {
		o.Limit = DefaultLimit
	}
	return o
}

// compare reads both logs and compares what the level asks for.
func (r *run) compare(ctx context.Context) (*pass, error) {
	if r.opt.Level != Counts {
		if err := r.readMap(); err != nil {
			return nil, err
		}
	}
	p := r.newPass(Reading)
	p.sums, p.first = r.opt.Level != Counts, true
	if r.opt.Level == Full {
		p.wanted = func(attrKey) bool { return true }
	}
	defer p.close()
	if err := p.read(ctx); err != nil {
		return nil, err
	}
	if r.opt.Level != Counts {
		if err := r.compareSchemas(p); err != nil {
			return nil, err
		}
		if err := r.settleDropped(ctx, p); err != nil {
			return nil, err
		}
		if err := r.settleDoubts(ctx, p); err != nil {
			return nil, err
		}
	}
	p.match()
	if r.opt.Level == Full {
		return p, r.comparePiles(ctx, p, p)
	}
	return p, r.reread(ctx, p)
}

// reread compares the datoms of those attributes whose sums or counts differ.
func (r *run) reread(ctx context.Context, first *pass) error {
	differ := first.differing()
	if differ == nil {
		return nil
	}
	if err := r.readMap(); err != nil {
		return err
	}
	p := r.newPass(Rereading)
	p.wanted = differ
	defer p.close()
	if err := p.read(ctx); err != nil {
		return err
	}
	if first.countsOnly() { // it knows no idents to name entities by
		first.src.idents, first.clone.idents = p.src.idents, p.clone.idents
	}
	return r.comparePiles(ctx, p, first)
}

// begin makes sure that source, clone and sidecar belong together, and that there is a whole
// clone to compare.
func (r *run) begin(ctx context.Context) error {
	if !slices.Contains([]Level{Counts, Checksum, Full}, r.opt.Level) {
		return fmt.Errorf("verify at level %q: there is none", r.opt.Level)
	}
	var err error
	if r.session, err = r.store.Session(); err != nil {
		return err
	}
	r.live = r.session.Live()
	if r.pos, err = r.store.Position(); err != nil {
		return err
	}
	if r.pos.Phase != state.Current {
		return fmt.Errorf("verify clone: %w", ErrNotWhole)
	}
	if err := r.checkSource(); err != nil {
		return err
	}
	return r.checkClone(ctx)
}

// checkSource makes sure that the source is the database that was cloned.
func (r *run) checkSource() error {
	first, err := r.src.First(r.session.Key)
	if err != nil {
		return dclone.InSource(err)
	}
	var none dclone.Digest
	had := r.session.Source
	if id := r.src.DatabaseID(); had.ID != id {
		return fmt.Errorf("compare source with the session: it is the database %q, not %q: %w", id, had.ID, ErrReplaced)
	}
	if had.First != none && had.First != first {
		return fmt.Errorf("compare source with the session: its first transaction is another: %w", ErrReplaced)
	}
	at := r.pos.Source
	if basis := r.src.Basis(); basis < at.T {
		return fmt.Errorf("compare source with the session: it ends at t %d, the clone has come to t %d: that is an earlier point in time, or %w",
			basis, at.T, ErrReplaced)
	}
	f, err := r.src.Fingerprint(r.session.Key, at.T)
	if errors.Is(err, source.ErrNoTx) || err == nil && !f.SameTx(at) {
		return fmt.Errorf("compare source with the session: its transaction t %d is not the one that was cloned: %w",
			at.T, ErrReplaced)
	}
	return dclone.InSource(err)
}

// checkClone finds out whether the clone ends with the transaction the sidecar says it ends
// with. Where it does not, that is a difference, and the rest is compared all the same.
func (r *run) checkClone(ctx context.Context) error {
	at, basis := r.pos.Clone, r.clone.Basis()
	r.cloneT = min(at.T, basis)
	if basis > at.T {
		t, err := r.drift(ctx, at.T+1)
		if err != nil {
			return err
		}
		if t > 0 {
			r.found.add(finding{Difference: Difference{Kind: KindDrift, CloneT: t, Text: fmt.Sprintf(
				"from t %d on, up to t %d, the clone has transactions that its sidecar does not know", t, basis)}})
		}
	}
	if basis < at.T {
		r.found.add(finding{Difference: Difference{Kind: KindClone, CloneT: basis, Text: fmt.Sprintf(
			"the clone ends at t %d, its sidecar says t %d", basis, at.T)}})
		return nil
	}
	is, err := r.isMark(ctx, at)
	if err != nil {
		return dclone.InDest(err)
	}
	if !is {
		r.found.add(finding{Difference: Difference{Kind: KindClone, CloneT: at.T, Text: fmt.Sprintf(
			"the clone's transaction t %d is not the one that was written there", at.T)}})
	}
	return nil
}

// isMark reports whether the clone's transaction of a mark is the one that was marked.
func (r *run) isMark(ctx context.Context, at dclone.Mark) (bool, error) {
	if r.live {
		return r.isLiveMark(ctx, at)
	}
	f, err := r.clone.Fingerprint(r.session.Key, at.T)
	if errors.Is(err, source.ErrNoTx) {
		return false, nil
	}
	return f.Digest == at.Digest && f.Instant == at.Instant, err
}

// isFirstCopy reports whether a clone's transaction was written by the first copy.
func (r *run) isFirstCopy(t dclone.T) bool { return t > r.clone.Born() && t <= r.pos.Loaded }

// withMap calls f with the sidecar's entity-id map, which is for one goroutine.
func (r *run) withMap(f func(*eidmap.Map) error) error {
	return r.store.View(func(tx *state.Tx) error {
		m, err := tx.Map()
		if err != nil {
			return err
		}
		return f(m)
	})
}
