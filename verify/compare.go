package verify

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"dclone"
	"dclone/datomic/local"
)

// comparePiles compares the datoms that hold, as p has gathered them, and says of first's
// attributes whether they are equal.
func (r *run) comparePiles(ctx context.Context, p, first *pass) error {
	r.meter.begin(Comparing, pileParts)
	results := make([]partResult, pileParts)
	work := make(chan int, pileParts)
	for i := range pileParts {
		work <- i
	}
	close(work)
	var failed error
	var wg sync.WaitGroup
	var once sync.Once
	for range r.opt.Jobs {
		wg.Go(func() {
			c := &comparer{r: r, p: p}
			for i := range work {
				err := ctx.Err()
				if err == nil {
					err = c.part(p, i, &results[i])
				}
				if err != nil {
					once.Do(func() { failed = err })
					return
				}
				r.meter.add(1)
			}
		})
	}
	wg.Wait()
	if failed != nil {
		return failed
	}
	first.settle(p, results)
	return nil
}

// settle takes over what the comparison of datoms found.
func (p *pass) settle(read *pass, results []partResult) {
	tallies := map[attrKey]tally{}
	for _, res := range results {
		p.run.found.addAll(res.found, res.total)
		for k, t := range res.tallies {
			tallies[k] = tallies[k].plus(*t)
		}
	}
	for _, m := range p.matches {
		if m.decided(read) {
			m.source, m.clone, m.equal = 0, 0, true
		}
	}
	for k, t := range tallies {
		if m := p.matchOf[k]; m != nil {
			m.source += t.source
			m.clone += t.clone
			m.equal = m.equal && t.differ == 0
		}
	}
}

// decided reports whether a pass has compared the datoms of m.
func (m *match) decided(read *pass) bool {
	c := m.cloned
	if m.src != nil {
		c = read.src.columns[m.src.a]
	} else {
		c = read.clone.columns[c.a]
	}
	return c != nil && c.wanted
}

// A partResult is what the comparison of one part of both piles found.
type partResult struct {
	limit   int
	found   []finding
	total   int64
	tallies map[attrKey]*tally
}

// A tally counts datoms that hold, the bootstrap's excepted, and differences.
type tally struct{ source, clone, differ int64 }

func (t tally) plus(u tally) tally {
	return tally{t.source + u.source, t.clone + u.clone, t.differ + u.differ}
}

func (p *partResult) tally(r record) *tally {
	k := attrKey{r.a, r.flags&unmapped == 0}
	t := p.tallies[k]
	if t == nil {
		t = new(tally)
		p.tallies[k] = t
	}
	return t
}

func (p *partResult) add(r record, f finding) {
	p.tally(r).differ++
	p.total++
	if len(p.found) < p.limit {
		f.a, f.e, f.named = r.a, r.e, true
		f.src, f.clone = slices.Clone(f.src), slices.Clone(f.clone) // the part they are in is read but for a while
		p.found = append(p.found, f)
	}
}

// A comparer walks the datoms of source and clone side by side.
type comparer struct {
	r                  *run
	p                  *pass
	res                *partResult
	src, clone         queue
	heldSrc, heldClone []record // of one group
}

// part compares one part of both piles.
func (c *comparer) part(p *pass, i int, res *partResult) error {
	*res = partResult{limit: c.r.opt.Limit, tallies: map[attrKey]*tally{}}
	c.res = res
	if err := c.src.load(p.src.pile, i); err != nil {
		return err
	}
	if err := c.clone.load(p.clone.pile, i); err != nil {
		return err
	}
	c.compare()
	return nil
}

// compare walks the groups of both sides.
func (c *comparer) compare() {
	src, clone := &c.src, &c.clone
	for src.head() != nil || clone.head() != nil {
		order := 0
		switch {
		case clone.head() == nil:
			order = -1
		case src.head() == nil:
			order = 1
		default:
			order = byEntity(src.head(), clone.head())
		}
		var s, k []record
		if order <= 0 {
			s = src.take()
		}
		if order >= 0 {
			k = clone.take()
		}
		c.group(s, k)
	}
}

// group compares what there is of one entity and attribute.
func (c *comparer) group(src, clone []record) {
	sortValues(src)
	sortValues(clone)
	c.idle(src, clone)
	now := c.held(src, clone, false)
	c.count()
	if len(now) == 0 {
		c.order()
	}
	for _, p := range now {
		c.uncount(p)
		c.differ(p, false)
	}
	if !hasReplayed(src) && !hasReplayed(clone) {
		return
	}
	for _, p := range c.held(src, clone, true) {
		if !slices.ContainsFunc(now, p.equal) {
			c.differ(p, true)
		}
	}
}

// held compares what holds, or what held when the first copy was made.
func (c *comparer) held(src, clone []record, past bool) []pair {
	c.heldSrc = appendHeld(c.heldSrc[:0], src, past)
	c.heldClone = appendHeld(c.heldClone[:0], clone, past)
	return pairs(c.heldSrc, c.heldClone)
}

// hasReplayed reports whether a group has changed since the first copy.
func hasReplayed(group []record) bool {
	return slices.ContainsFunc(group, func(r record) bool { return r.flags&(firstCopy|born) == 0 })
}

// idle finds what the first copy did for nothing. Only with the history of an ident it may have
// come from the source.
func (c *comparer) idle(src, clone []record) {
	if len(clone) < 2 && (len(clone) == 0 || clone[0].flags&added != 0) {
		return
	}
	list := idle(clone)
	if len(list) == 0 || clone[0].a == dclone.AttrIdent && len(list) <= len(idle(src)) {
		return
	}
	for _, r := range list {
		c.res.add(r, finding{Difference: Difference{Kind: KindFirstCopy}, clone: r.v, idle: true, retraction: r.flags&added == 0})
	}
}

func (c *comparer) count() {
	for _, r := range c.heldSrc {
		if r.flags&born == 0 {
			c.res.tally(r).source++
		}
	}
	for _, r := range c.heldClone {
		if r.flags&born == 0 {
			c.res.tally(r).clone++
		}
	}
}

// uncount takes back from the counts what need not be alike.
func (c *comparer) uncount(p pair) {
	if !c.excused(p) {
		return
	}
	if p.src != nil {
		c.res.tally(*p.src).source--
	}
	if p.clone != nil && p.clone.flags&born == 0 {
		c.res.tally(*p.clone).clone--
	}
}

// order finds values that Datomic takes for equal, and that came in another order: a retraction of one of them
// would end another. What holds on either side is equal. NaN, which is equal to every number, is in no order.
func (c *comparer) order() {
	for src, clone := c.heldSrc, c.heldClone; len(src) > 1; {
		run, rest := cutValue(src)
		if !local.IsNaN(run[0].v) {
			c.orderOf(run, clone)
		}
		src, clone = rest, clone[len(run):]
	}
}

func (c *comparer) orderOf(src, clone []record) {
	for i := range src {
		for j := range i {
			order := cmp.Compare(src[i].t, src[j].t)
			if order != 0 && order != cmp.Compare(clone[i].t, clone[j].t) {
				c.res.add(src[i], finding{Difference: Difference{Kind: KindValue}, src: src[i].v, clone: src[j].v, order: true})
			}
		}
	}
}

// differ notes a difference, of now or of the time of the first copy.
func (c *comparer) differ(p pair, past bool) {
	k := p.kind(c.r.born.clone.txInstant)
	if k == "" || c.excused(p) {
		return
	}
	f := finding{Difference: Difference{Kind: k}, sourceOnly: k == KindUnmapped, past: past}
	if past {
		f.SourceT, f.CloneT = c.r.pos.Basis, c.r.pos.Loaded
	}
	r := p.clone
	if p.clone != nil {
		f.clone = p.clone.v
	}
	if p.src != nil {
		f.src, r = p.src.v, p.src
	}
	c.res.add(*r, f)
}
