// Package session is one run of dclone: it finds out how far a clone has come, makes sure that
// source, clone and sidecar belong together, and brings the clone up to the source's basis.
//
// The first run of a session makes a first copy; every later one replays the source's log. A
// run that was cut off anywhere is continued by the next.
package session

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"time"

	"github.com/google/uuid"

	"dclone"
	"dclone/datomic/local"
	destlocal "dclone/dest/local"
	"dclone/replay"
	"dclone/snapshot"
	"dclone/source"
	"dclone/state"
)

var (
	// ErrReplaced says that a source is not the database it was, or went back in time.
	ErrReplaced = errors.New("the source was reset or replaced")
	// ErrShape says that an option that shapes a first copy was changed while one is under way.
	ErrShape = errors.New("it cannot change while a first copy is under way")
	// ErrSame says that source and clone are one database.
	ErrSame = errors.New("a clone is no clone of itself")
	// ErrClaimed says that a clone belongs to another session.
	ErrClaimed = errors.New("it is the clone of another session")
	// ErrNotEmpty says that a first copy would find data in its place; whose, is not known.
	ErrNotEmpty = errors.New("it holds data, and a first copy needs an empty database")
)

// Options are the choices for one run.
type Options struct {
	SourceAddress, DestAddress string // as users may see them, without passwords

	MaxBatchSize int    // datoms; 0: as the session has it, or the default
	TxEntities   string // used, all or none; "": as the session has it, or used
	EidBatch     int    // records of the entity-id map in a bbolt transaction

	Jobs             int   // goroutines
	MaxMemory        int64 // bytes
	NoIndex          bool
	Restart          bool // throw the session's clone away and begin afresh
	AcceptNotCarried bool
	UpgradeSchema    bool // of a running Datomic's base schema, where it lacks what the source uses

	Stop     func() bool
	Progress func(Progress)
	Log      func(string)
	At       func(replay.Point) error // tests pull plugs here
}

// The defaults of the options that shape a first copy.
const (
	DefaultBatchSize     = 500
	DefaultLiveBatchSize = 2000 // costs a transactor less
	DefaultEidBatch      = 1000
	DefaultTxEntities    = string(snapshot.TxUsed)
)

// Progress tells how far a run is.
type Progress struct {
	Phase     state.Phase
	SessionID uuid.UUID
	Position  state.Position
	Basis     dclone.T // of the source
	Done, All int64    // datoms of a first copy; in replay, how far t has come and is to come
	Datoms    int64    // written in this run
}

// A Status says what a run did.
type Status string

// What a run can have done.
const (
	Initial     Status = "initial"
	Incremental Status = "incremental"
	UpToDate    Status = "up_to_date"
)

// A Result is what a run came to.
type Result struct {
	Status       Status
	Session      state.Session
	Position     state.Position
	Transactions int64 // replayed
	Datoms       int64
	Entities     int64 // in the map of a first copy; 0 later
	Resumed      bool  // the run before this was cut off
	Duration     time.Duration
}

// Outstanding returns what was not carried and not accepted.
func Outstanding(s state.Session) []dclone.NotCarried {
	var rest []dclone.NotCarried
next:
	for _, n := range s.NotCarried {
		for _, a := range s.AcceptedNotCarried {
			if a.Attribute == n.Attribute && a.Reason == n.Reason && a.Count >= n.Count {
				continue next
			}
		}
		rest = append(rest, n)
	}
	return rest
}

// A run holds what one run works on.
type run struct {
	src   source.Conn
	dst   *destlocal.Clone
	store *state.Store
	opt   Options

	session state.Session
	pos     state.Position
	result  Result
	basis   dclone.T // of the source when the run began
}

// newRun returns a run that knows its source, with what opt leaves out.
func newRun(src source.Conn, opt Options) (run, error) {
	if opt.Jobs <= 0 {
		opt.Jobs = runtime.GOMAXPROCS(0)
	}
	if opt.MaxBatchSize < 0 {
		return run{}, fmt.Errorf("set --max-batch-size to %d: a transaction needs room for one datom at least", opt.MaxBatchSize)
	}
	return run{src: src, opt: opt, basis: src.Basis()}, nil
}

// end closes the sidecar, and returns what a run that began then came to.
func (r *run) end(began time.Time) Result {
	if r.store != nil {
		r.store.Close()
	}
	r.result.Session, r.result.Position = r.session, r.pos
	r.result.Duration = time.Since(began)
	return r.result
}

// Sync brings the clone dst, whose sidecar is at path, up to the basis of src. It writes nothing
// where the two do not belong together.
func Sync(ctx context.Context, src source.Conn, dst *destlocal.Clone, path string, opt Options) (Result, error) {
	began := time.Now()
	r, err := newRun(src, opt)
	if err != nil {
		return Result{}, err
	}
	r.dst = dst
	if err = r.open(ctx, path); err == nil {
		err = r.sync(ctx)
	}
	return r.end(began), err
}

// open opens the sidecar of the clone, or plans a first copy and makes one.
func (r *run) open(ctx context.Context, path string) error {
	err := r.readSidecar(path)
	if errors.Is(err, state.ErrNone) {
		return r.begin(ctx, path)
	}
	if err != nil {
		return err
	}
	r.dst.SetKey(r.session.Key)
	if r.opt.Restart {
		return r.restart(ctx, path)
	}
	if err := r.checkSource(); err != nil {
		return err
	}
	return r.checkShape()
}

// readSidecar opens the sidecar, and reads what the run before has left in it.
func (r *run) readSidecar(path string) (err error) {
	if r.store, err = state.Open(path); err != nil {
		return err
	}
	if r.session, err = r.store.Session(); err != nil {
		return err
	}
	r.pos, err = r.store.Position()
	return err
}

// restart throws the clone away, but only one that the session has made.
func (r *run) restart(ctx context.Context, path string) error {
	if err := r.checkOwn(); err != nil {
		return err
	}
	store := r.store
	r.store = nil
	return errors.Join(store.Close(), r.create(ctx, path))
}

// begin makes the session of a new clone.
func (r *run) begin(ctx context.Context, path string) error {
	if err := r.checkEmpty(); err != nil {
		return err
	}
	return r.create(ctx, path)
}

// newSession makes the session of a new clone, and the position where its first copy begins.
func (r *run) newSession(clone state.Identity, batchSize int) error {
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	r.session = state.Session{
		Version: state.Version, ID: uuid.New(), Created: time.Now().UTC().Truncate(time.Second), Key: key,
		Source: state.Identity{Address: r.opt.SourceAddress, ID: r.src.DatabaseID(), Born: r.src.Born()},
		Dest:   clone,
		Options: state.Options{Plan: state.PlanVersion, MaxBatchSize: or(r.opt.MaxBatchSize, batchSize),
			TxEntities: or(r.opt.TxEntities, DefaultTxEntities)},
	}
	var err error
	if r.session.Source.First, err = r.src.First(key); err != nil {
		return dclone.InSource(err)
	}
	f, err := r.fingerprint(r.basis)
	r.pos = state.Position{Phase: state.Loading, Source: f, Basis: r.basis}
	return err
}

// fingerprint returns that of the source's transaction.
func (r *run) fingerprint(t dclone.T) (dclone.Fingerprint, error) {
	f, err := r.src.Fingerprint(r.session.Key, t)
	return f, dclone.InSource(err)
}

// create reads the source, makes the sidecar in place of an older one, and the first copy.
func (r *run) create(ctx context.Context, path string) error {
	if err := r.newSession(state.Identity{Address: r.opt.DestAddress}, DefaultBatchSize); err != nil {
		return err
	}
	r.dst.SetKey(r.session.Key)
	r.pos.Clone.T = -1
	// The source is read whole before anything is written: it may prove damaged.
	load, err := r.plan(ctx)
	if err != nil {
		return err
	}
	defer load.close()
	r.session.Options.KeepT = load.plan.KeepsT()
	if err := r.dst.Drop(); err != nil {
		return dclone.InDest(err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return dclone.InDest(err)
	}
	if r.store, err = state.Create(path, r.session, r.pos); err != nil {
		return dclone.InDest(err)
	}
	return r.load(ctx, load)
}

func or[V comparable](v, otherwise V) V {
	var zero V
	if v == zero {
		return otherwise
	}
	return v
}

// sync does what is left to do.
func (r *run) sync(ctx context.Context) error {
	switch r.pos.Phase {
	case state.Loading:
		if err := r.resume(ctx); err != nil {
			return err
		}
	case state.Publishing:
		r.result.Resumed = true
		if err := r.publish(ctx); err != nil {
			return err
		}
	case state.Current:
		if r.result.Status == Initial {
			break // begin has made the first copy just now
		}
		if err := r.dst.Open(); err != nil {
			return dclone.InDest(err)
		}
	default:
		return fmt.Errorf("read sidecar %s: phase %q is not known", r.store.Path(), r.pos.Phase)
	}
	if err := r.catchUp(ctx); err != nil {
		return err
	}
	return r.accept()
}

// resume goes on with a first copy. Where the source has excised something meanwhile, all ids would come
// out otherwise, and the copy might hold what is gone: nobody has seen it yet, and it is begun afresh.
func (r *run) resume(ctx context.Context) error {
	r.result.Resumed = true
	load, err := r.plan(ctx)
	if err != nil {
		return err
	}
	defer load.close()
	if !r.pos.Mapped || r.pos.Plan == load.plan.Digest(r.session.Key) {
		return r.load(ctx, load)
	}
	r.log("the source as of t %d is not what it was when the first copy began: it is begun afresh", r.pos.Basis)
	path, store := r.store.Path(), r.store
	r.store = nil
	if err := store.Close(); err != nil {
		return err
	}
	r.result.Resumed = false
	return r.create(ctx, path)
}

// accept records, where the user said so, that what was not carried is known.
func (r *run) accept() error {
	if !r.opt.AcceptNotCarried || len(Outstanding(r.session)) == 0 {
		return nil
	}
	r.session.AcceptedNotCarried = append([]dclone.NotCarried(nil), r.session.NotCarried...)
	return r.update(func(tx *state.Tx) error { return tx.SetSession(r.session) })
}

func (r *run) indexOptions() local.IndexOptions {
	return local.IndexOptions{Jobs: r.opt.Jobs, MaxMemory: r.opt.MaxMemory}
}

func (r *run) log(format string, args ...any) {
	if r.opt.Log != nil {
		r.opt.Log(fmt.Sprintf(format, args...))
	}
}

// sourceOf returns which entity of the source one of the clone stands for, as the map has it.
func (r *run) sourceOf(clone dclone.EntityID) (src dclone.EntityID, ok bool, err error) {
	err = r.store.View(func(tx *state.Tx) error {
		m, err := tx.Map()
		if err == nil {
			src, ok, err = m.Source(clone)
		}
		return err
	})
	return src, ok, err
}

// update changes the sidecar, which counts as a part of the clone.
func (r *run) update(f func(*state.Tx) error) error { return dclone.InDest(r.store.Update(f)) }
