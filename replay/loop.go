package replay

import (
	"context"
	"iter"
	"time"

	"dclone"
	"dclone/eidmap"
	"dclone/state"
)

// Limits say when a group is full.
type Limits struct {
	Txs   int           // this many transactions
	Bytes int           // or this many bytes
	After time.Duration // or this long since its first transaction, and LeastBytes
	Least int           // bytes, below which After does not count
}

// Limits that serve well: groups of replay are small, so that little is done twice after a crash;
// those of a first copy are cheap to make again.
var (
	ReplayLimits = Limits{Txs: 1000, Bytes: 4 << 20, After: 100 * time.Millisecond}
	LoadLimits   = Limits{Txs: 1 << 30, Bytes: 1 << 30, After: 250 * time.Millisecond, Least: 4 << 20}
)

// A Loop writes steps to a clone, group by group.
type Loop struct {
	Store  Store
	Clone  Clone
	Key    dclone.DigestKey
	Limits Limits

	// Fingerprint returns that of a source transaction; it is called once a group, in a first copy with 0.
	// Nil in a first copy that nobody sees, which needs no intents.
	Fingerprint func(dclone.T) (dclone.Fingerprint, error)
	// Stop is asked between two groups whether to end the run with ErrStopped.
	Stop func() bool
	// Progress, where it is not nil, hears of every group that was committed.
	Progress func(Progress)
	// At, where it is not nil, is called before and after each act that a crash can fall between;
	// its error ends the run there. Tests pull plugs with it.
	At func(Point) error
}

// Progress tells what a group added.
type Progress struct {
	Position state.Position
	Txs      int64
	Datoms   int64
}

// A Point names a place between two acts of a group.
type Point string

// The places where a run can be cut.
const (
	BeforeIntent Point = "before intent"
	BeforeWrite  Point = "before write"
	BeforeSync   Point = "before sync"
	BeforeCommit Point = "before commit"
	AfterCommit  Point = "after commit"
)

// Run writes all steps, beginning at pos, and returns the position that is committed.
func (l *Loop) Run(ctx context.Context, pos state.Position, steps iter.Seq2[Step, error]) (state.Position, error) {
	g := group{commit: state.Commit{Position: pos}}
	end := func() error {
		err := l.end(&g)
		if g.txs == 0 { // committed
			pos = g.commit.Position
		}
		return err
	}
	for step, err := range steps {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return pos, err
		}
		g.add(step)
		if l.Fingerprint == nil && len(g.frames) >= writeAhead {
			if err := l.write(&g); err != nil {
				return pos, err
			}
		}
		if !g.ends && !g.full(l.Limits) {
			continue
		}
		if err := end(); err != nil {
			return pos, err
		}
		if l.Stop != nil && l.Stop() {
			return pos, ErrStopped
		}
	}
	if g.txs == 0 {
		return pos, nil
	}
	err := end()
	return pos, err
}

// writeAhead is how much of a first copy is gathered before it is written, in bytes.
const writeAhead = 512 << 10

// A group is what becomes durable together.
type group struct {
	frames  []byte // not yet written
	lengths []int
	bytes   int
	txs     int64
	datoms  int64
	source  dclone.T
	ends    bool
	began   time.Time
	commit  state.Commit
}

func (g *group) add(s Step) {
	if g.txs == 0 {
		g.began = time.Now()
	}
	g.frames = append(g.frames, s.Frames...)
	g.lengths = append(g.lengths, s.Lengths...)
	g.bytes += len(s.Frames)
	g.txs += int64(len(s.Lengths))
	g.datoms += s.Datoms
	g.ends = s.Ends
	if s.Source != 0 {
		g.source = s.Source
		g.commit.Position.Next = s.Next
	}
	if s.Cursor != 0 {
		g.commit.Position.Cursor = s.Cursor
	}
	g.commit.Runs = append(g.commit.Runs, s.Runs...)
	g.commit.Schema = append(g.commit.Schema, s.Schema...)
	g.commit.NotCarried = state.AddNotCarried(g.commit.NotCarried, s.NotCarried)
}

func (g *group) full(l Limits) bool {
	return g.txs >= int64(l.Txs) || g.bytes >= l.Bytes ||
		g.bytes >= l.Least && time.Since(g.began) >= l.After
}

func (g *group) reset(pos state.Position) {
	*g = group{frames: g.frames[:0], lengths: g.lengths[:0],
		commit: state.Commit{Position: pos, Runs: g.commit.Runs[:0], Schema: g.commit.Schema[:0]}}
}

// end makes the group durable, and true in the sidecar.
func (l *Loop) end(g *group) error {
	if l.Fingerprint != nil {
		if err := l.intend(g); err != nil {
			return err
		}
	}
	if err := l.write(g); err != nil {
		return err
	}
	if err := l.at(BeforeSync); err != nil {
		return err
	}
	if err := l.Clone.Sync(); err != nil {
		return dclone.InDest(err)
	}
	mark, err := l.Clone.Mark()
	if err != nil {
		return dclone.InDest(err)
	}
	g.commit.Position.Clone = mark
	if b, ok := l.Clone.(Binder); ok {
		g.commit.Runs = append(g.commit.Runs, b.Bound()...)
	}
	if err := l.at(BeforeCommit); err != nil {
		return err
	}
	if err := l.update(func(tx *state.Tx) error { return tx.Commit(&g.commit) }); err != nil {
		return err
	}
	if l.Progress != nil {
		l.Progress(Progress{g.commit.Position, g.txs, g.datoms})
	}
	g.reset(g.commit.Position)
	return l.at(AfterCommit)
}

// intend writes the intent: the frames, and the commit as it will be.
func (l *Loop) intend(g *group) error {
	f, err := l.Fingerprint(g.source)
	if err != nil {
		return err
	}
	g.commit.Position.Source = f
	g.commit.Runs = eidmap.Join(g.commit.Runs)
	intent := state.Intent{Commit: g.commit}
	if _, ok := l.Clone.(Binder); ok {
		intent.Sent = g.frames
	}
	for frames := g.frames; len(intent.Frames) < len(g.lengths); {
		n := g.lengths[len(intent.Frames)]
		intent.Frames = append(intent.Frames, state.Frame{Length: int64(n), Digest: l.Key.Of(frames[:n])})
		frames = frames[n:]
	}
	if err := l.at(BeforeIntent); err != nil {
		return err
	}
	return l.update(func(tx *state.Tx) error { return tx.SetIntent(&intent) })
}

// update changes the sidecar, which counts as a part of the clone.
func (l *Loop) update(f func(*state.Tx) error) error {
	return dclone.InDest(l.Store.Update(f))
}

func (l *Loop) write(g *group) error {
	if err := l.at(BeforeWrite); err != nil {
		return err
	}
	err := l.Clone.Append(g.frames, g.lengths)
	g.frames, g.lengths = g.frames[:0], g.lengths[:0]
	return dclone.InDest(err)
}

func (l *Loop) at(p Point) error {
	if l.At == nil {
		return nil
	}
	return l.At(p)
}
