package verify

import (
	"context"
	"errors"

	"dclone"
	"dclone/eidmap"
	"dclone/fit"
)

// A pass reads both logs once, at the same time.
type pass struct {
	run    *run
	stage  Stage
	first  bool               // everything but datoms is compared too
	sums   bool               // sums are made
	wanted func(attrKey) bool // whose datoms go to piles; nil: none's

	src, clone *side
	newest     dclone.Instant                  // of the source's transactions up to the first copy's basis
	batches    map[dclone.Instant]batchInstant // of the first copy's own transactions
	replayed   int64
	dropped    []droppedDatom
	doubts     []doubt
	noted      map[attrKey]bool         // attributes and entities of which not all was carried
	indexed    map[dclone.EntityID]bool // attributes of a live clone that got an index by themselves
	matches    []*match
	matchOf    map[attrKey]*match
}

// An attrKey names an attribute: one of the clone, or, for what has no clone, one of the source.
type attrKey struct {
	a      dclone.EntityID
	mapped bool
}

// batchInstant tells which of the first copy's own transactions have an instant.
type batchInstant struct {
	t      dclone.T // the first
	n      int64
	forced bool // it equals the one before
}

// A match is one attribute on both sides. Where one has it not, its column is nil.
type match struct {
	ident       dclone.Keyword
	src, cloned *column
	source      int64 // datoms that hold
	clone       int64
	equal       bool
}

func (r *run) newPass(stage Stage) *pass {
	return &pass{run: r, stage: stage, batches: map[dclone.Instant]batchInstant{},
		indexed: map[dclone.EntityID]bool{}, matchOf: map[attrKey]*match{}}
}

// countsOnly reports whether entities and values are not looked at.
func (p *pass) countsOnly() bool { return !p.sums && p.wanted == nil }

// read fills both sides. The first error of either ends it.
func (p *pass) read(ctx context.Context) error {
	p.src, p.clone = newSide(p, p.run.src), newSide(p, p.run.clone)
	p.src.fit = fit.New(p.run.born.kind, &p.src.schema, p.src.born)
	p.src.fit.Learn(p.run.born.datoms)
	p.run.meter.begin(p.stage, int64(p.run.pos.Source.T)+int64(p.run.cloneT))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := p.readClone(ctx); err != nil {
			cancel(err)
		}
	}()
	err := p.run.withMap(func(m *eidmap.Map) error {
		if err := p.readSource(ctx, m); err != nil {
			return err
		}
		return p.readNoted(m)
	})
	if err != nil {
		cancel(err)
	}
	<-done
	return context.Cause(ctx)
}

// close lets go of temporary files.
func (p *pass) close() error {
	var err error
	for _, s := range []*side{p.src, p.clone} {
		if s != nil && s.pile != nil {
			err = errors.Join(err, s.pile.close())
		}
	}
	return err
}

// match brings the attributes of both sides together.
func (p *pass) match() {
	for _, c := range p.src.columns {
		if c.skipped {
			continue
		}
		m := &match{ident: p.src.schema.Ident(c.a), src: c, source: c.count, equal: c.lost == sum{} && c.lostCount == 0}
		if d := p.clone.columns[c.clone]; c.mapped && d != nil {
			m.cloned, m.clone = d, d.count
			m.equal = m.equal && c.count == d.count && c.sum == d.sum
		} else {
			m.equal = m.equal && c.count == 0 && c.sum == sum{}
		}
		p.addMatch(m)
	}
	for _, d := range p.clone.columns {
		if d.skipped || p.matchOf[attrKey{d.a, true}] != nil {
			continue
		}
		p.addMatch(&match{ident: p.clone.schema.Ident(d.a), cloned: d, clone: d.count,
			equal: d.count == 0 && d.sum == sum{}})
	}
}

func (p *pass) addMatch(m *match) {
	p.matches = append(p.matches, m)
	if m.src != nil {
		p.matchOf[attrKey{m.src.a, false}] = m
	}
	if m.src != nil && m.src.mapped {
		p.matchOf[attrKey{m.src.clone, true}] = m
	} else if m.cloned != nil {
		p.matchOf[attrKey{m.cloned.a, true}] = m
	}
}

// differing returns which attributes are not equal so far: those of the clone, and those of the
// source that have no clone.
func (p *pass) differing() func(attrKey) bool {
	differ := map[attrKey]bool{}
	for _, m := range p.matches {
		switch {
		case m.equal:
		case m.cloned != nil:
			differ[attrKey{m.cloned.a, true}] = true
		default:
			differ[attrKey{m.src.a, false}] = true
			differ[attrKey{m.src.clone, m.src.mapped}] = true
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return func(k attrKey) bool { return differ[k] }
}
