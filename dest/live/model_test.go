package live

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/live"
	"dclone/fressian"
)

// A model is a trivial database. It transacts what it is sent at some time, which may be after whoever sent it has given
// up, and tells of it or not.
type model struct {
	t    testing.TB
	rate int // one in so many meets with a mishap; 0 is none

	mu      sync.Mutex
	r       *rand.Rand
	next    dclone.EntityID
	log     []dclone.Tx
	basis   dclone.T
	late    sync.WaitGroup // on their way, and given up
	open    int            // asked for and not answered
	most    int            // of open
	mishaps int
	foreign int // transactions until somebody else makes one
}

var errCut = errors.New("the run was cut")

const modelBorn dclone.T = 5

func newModel(t testing.TB, r *rand.Rand) *model {
	return &model{t: t, r: r, next: 10_000, basis: modelBorn}
}

func (m *model) connect(context.Context) (*Connection, error) {
	born := dclone.Tx{T: modelBorn}
	for name, e := range map[string]dclone.EntityID{"ident": 10, "txInstant": attrInstant, "doc": 62} {
		born.Datoms = append(born.Datoms, dclone.Datom{E: e, A: 10, V: value(m.t, dclone.Kw("db", name)), Tx: dclone.TxID(modelBorn), Added: true})
	}
	l := &link{model: m}
	return &Connection{DB: l, ID: "model", Kind: live.KindPeer, Born: []dclone.Tx{born}, End: l.end}, nil
}

// A link is a connection to a model, until it is ended.
type link struct {
	*model
	ended bool // as the model's mu allows
}

func (l *link) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
}

func (m *model) Refresh(context.Context) (dclone.T, error) { return m.Basis(), nil }

func (m *model) Sync(context.Context) error {
	m.late.Wait()
	return nil
}

func (m *model) Basis() dclone.T {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.basis
}

func (m *model) TxRange(_ context.Context, from, to dclone.T, _ int) iter.Seq2[*dclone.Tx, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	log := m.log
	return func(yield func(*dclone.Tx, error) bool) {
		for i := range log {
			if t := log[i].T; t >= from && t < to && !yield(&log[i], nil) {
				return
			}
		}
	}
}

func (m *model) Datoms(context.Context, live.Range) iter.Seq2[[]dclone.Datom, error] {
	return func(func([]dclone.Datom, error) bool) {}
}

func (m *model) Index(context.Context) error                          { panic("not called") }
func (m *model) With(context.Context, ...[]byte) (live.Report, error) { panic("not called") }

func (m *model) Lookup(context.Context, dclone.EntityID, []dclone.Value) ([]dclone.EntityID, error) {
	panic("not called")
}

// Transact transacts in a while, and in the order of chance.
func (l *link) Transact(_ context.Context, data []byte) (live.Report, error) {
	m := l.model
	m.mu.Lock()
	if l.ended {
		m.mu.Unlock()
		return live.Report{}, fmt.Errorf("not sent: %w", &live.GoneError{Cause: errors.New("ended")})
	}
	m.open++
	m.most = max(m.most, m.open)
	pause := time.Duration(m.r.IntN(300)) * time.Microsecond
	mishap := -1
	if m.rate > 0 && m.r.IntN(m.rate) == 0 {
		mishap = m.r.IntN(7)
		m.mishaps++
	}
	m.mu.Unlock()
	defer func() {
		m.mu.Lock()
		m.open--
		m.mu.Unlock()
	}()
	time.Sleep(pause)
	switch mishap {
	case 0:
		return live.Report{}, fmt.Errorf("not taken: %w", live.ErrBusy)
	case 1:
		return live.Report{}, fmt.Errorf("lost on the way there: %w", live.ErrUnknownOutcome)
	case 2:
		m.late.Go(func() {
			time.Sleep(pause)
			m.apply(data)
		})
		return live.Report{}, fmt.Errorf("late: %w", live.ErrUnknownOutcome)
	case 3:
		m.apply(data)
		return live.Report{}, fmt.Errorf("lost on the way back: %w", live.ErrUnknownOutcome)
	case 4:
		return live.Report{}, errCut
	case 5:
		m.apply(data)
		return live.Report{}, errCut
	case 6:
		l.end()
		time.Sleep(pause)
		m.apply(data)
		return live.Report{}, fmt.Errorf("the child is gone: %w", live.ErrUnknownOutcome)
	}
	report := m.apply(data)
	time.Sleep(pause / 2)
	return report, nil
}

// apply adds a transaction to the log. Numbers are left out between two, as in Datomic Pro.
func (m *model) apply(data []byte) live.Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.foreign--; m.foreign == 0 {
		m.basis++
		m.log = append(m.log, dclone.Tx{T: m.basis})
	}
	before := m.basis
	m.basis += 1 + dclone.T(m.r.IntN(3))
	tx := dclone.Tx{T: m.basis, Instant: 1000}
	report := live.Report{Before: before, After: tx.T, Instant: tx.Instant, Tempids: map[string]dclone.EntityID{}}
	of := func(x any) dclone.EntityID {
		switch x := x.(type) {
		case int64:
			return dclone.EntityID(x)
		case string:
			if x == "datomic.tx" {
				return dclone.TxID(tx.T)
			}
			if _, known := report.Tempids[x]; !known {
				report.Tempids[x] = m.next
				m.next++
			}
			return report.Tempids[x]
		}
		panic(fmt.Sprintf("an entity that is %T", x))
	}
	decoded, _, err := fressian.Decode(data)
	require.NoError(m.t, err)
	for _, x := range decoded.([]any) {
		x := x.([]any)
		d := dclone.Datom{E: of(x[1]), A: of(x[2]), Tx: dclone.TxID(tx.T), Added: x[0] == kwAdd}
		if v := x[3]; d.A == attrRef {
			d.V = value(m.t, int64(of(v)))
		} else {
			d.V = value(m.t, v)
		}
		tx.Datoms = append(tx.Datoms, d)
	}
	m.log = append(m.log, tx)
	return report
}

// text writes down what a transaction says, whatever the order, with the source's entities in place of the clone's.
func text(forms []form, of func(dclone.EntityID) dclone.EntityID) string {
	lines := map[string]int{}
	for _, x := range forms {
		v, refs := x.v, x.tempids
		if x.a == attrRef {
			refs = dclone.WholeRef
		}
		if refs != dclone.NoRefs {
			v, _ = rewrite(v, refs, func(e dclone.EntityID) any { return int64(of(e)) })
		}
		lines[fmt.Sprint(of(x.e), x.a, v, x.added)]++
	}
	return strings.ReplaceAll(fmt.Sprint(lines), "map", "")
}
