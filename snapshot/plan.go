package snapshot

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"dclone"
	"dclone/eidmap"
	"dclone/fit"
)

// Next is where the ids and the t begin that a first copy gives out.
type Next = eidmap.First

var errInstant = errors.New("it is not an instant")

// A Plan is a first copy, ready to be made: all its transactions are known but for the values.
type Plan struct {
	src  Source
	dest Dest
	fit  *fit.Fit
	opt  Options

	entities *eidmap.Entities
	ids      *eidmap.Assignment
	instants []dclone.Instant // of the transaction entities, in order
	instant  dclone.Instant   // of all that follows them
	demoted  []dclone.T       // transactions whose entities become ordinary ones

	attributes []attribute    // in the order they were installed
	renames    []dclone.Datom // of :db/ident, that cannot wait for their column
	isAttr     map[dclone.EntityID]bool
	renamed    map[dclone.EntityID]bool
	txInstant  dclone.EntityID
	withheld   map[dclone.EntityID]bool // attributes whose datoms the clone derives

	early   []dclone.Tx // the transactions of schema, ids the clone's
	columns []*column
	first   dclone.T // of the first transaction behind the bootstrap
	end     dclone.T // behind the last transaction

	refused map[fit.Refusal]*dclone.NotCarried
}

// A column is one attribute's part of a first copy.
type column struct {
	a     dclone.EntityID
	ident dclone.Keyword
	fit   fit.Column
	own   bool     // the attribute is none of the builtins
	all   int64    // datoms of all time
	count int64    // datoms that are carried
	txs   int64    // transactions they make
	first dclone.T // of its first transaction
}

// New plans a first copy. It reads all of the source once.
func New(ctx context.Context, src Source, dest Dest, opt Options) (*Plan, error) {
	p := &Plan{src: src, dest: dest, opt: opt, instant: src.MaxInstant(), fit: fit.New(dest, src.Schema(), src.Born()),
		isAttr: map[dclone.EntityID]bool{}, renamed: map[dclone.EntityID]bool{}, withheld: map[dclone.EntityID]bool{},
		refused: map[fit.Refusal]*dclone.NotCarried{}}
	p.fit.Learn(src.SchemaDatoms())
	if err := p.readSchema(ctx); err != nil {
		return nil, err
	}
	if err := p.readRenames(ctx); err != nil {
		return nil, err
	}
	p.orderColumns()
	if err := p.scan(ctx); err != nil {
		return nil, err
	}
	if err := p.settle(ctx); err != nil {
		return nil, err
	}
	_, _, next := dest.Bootstrap()
	p.first = next.T
	p.ids = eidmap.Assign(p.entities, next)
	if err := p.makeEarly(); err != nil {
		return nil, err
	}
	p.number()
	return p, nil
}

// orderColumns lists the attributes of (4): builtins by id, then the others by ident.
func (p *Plan) orderColumns() {
	for _, a := range p.src.Attributes() {
		if !p.withheld[a.A] {
			_, builtin := p.fit.Builtin(a.A)
			p.columns = append(p.columns, &column{a: a.A, ident: p.src.Schema().Ident(a.A), fit: p.fit.Column(a.A), own: !builtin, all: a.Count})
		}
	}
	slices.SortFunc(p.columns, func(x, y *column) int {
		switch {
		case p.opt.SourceIDs && (p.refs(x.a) == dclone.NoRefs) != (p.refs(y.a) == dclone.NoRefs):
			return map[bool]int{true: -1, false: 1}[p.refs(x.a) == dclone.NoRefs]
		case !x.own && !y.own:
			return cmp.Compare(x.a, y.a)
		case x.own != y.own:
			return map[bool]int{true: 1, false: -1}[x.own]
		}
		return cmp.Or(cmp.Compare(x.ident.Namespace, y.ident.Namespace),
			cmp.Compare(x.ident.Name, y.ident.Name), cmp.Compare(x.a, y.a))
	})
}

// number gives every column the t of its first transaction.
func (p *Plan) number() {
	t := p.first + dclone.T(len(p.instants)) + dclone.T(len(p.early))
	for _, c := range p.columns {
		c.first = t
		t += dclone.T(c.txs)
	}
	p.end = t
}

// carries reports whether d travels in its column: all of the source's own attributes does. What
// the clone was born with, what it derives, what the schema transactions have said already, and what
// it refuses, does not.
func (p *Plan) carries(c *column, d dclone.Datom) bool {
	if _, refused := c.fit.Refuses(d); refused {
		return false
	}
	if c.own {
		return true
	}
	if p.fit.Born(d.Tx.T()) {
		return false
	}
	return !(d.A == p.txInstant && d.E.IsTx() || d.A == dclone.AttrIdent && p.renamed[d.E] || p.isAttr[d.E])
}

func (p *Plan) refs(a dclone.EntityID) dclone.Refs { return p.src.Schema().Refs(a) }

func (p *Plan) damaged(d dclone.Datom, err error) error {
	return fmt.Errorf("read datom of entity %d, attribute %d, t %d: %w", d.E, d.A, d.Tx.T(), err)
}

// Clone returns the clone's entity for one of the source.
func (p *Plan) Clone(src dclone.EntityID) (dclone.EntityID, error) {
	if p.opt.SourceIDs {
		return src, nil
	}
	if e, ok := p.fit.Builtin(src); ok {
		return e, nil
	}
	if e, ok := p.ids.Clone(src); ok {
		return e, nil
	}
	return 0, fmt.Errorf("map entity %d: the first copy has no id for it", src)
}

// IDs returns the ids of all entities the first copy brings.
func (p *Plan) IDs() *eidmap.Assignment { return p.ids }

// Digest tells p from another plan: which entities get which ids, and how many datoms each transaction
// has. A source that has excised something gives another one.
func (p *Plan) Digest(key dclone.DigestKey) dclone.Digest {
	h := key.New()
	var buf []byte
	add := func(ns ...int64) {
		buf = buf[:0]
		for _, n := range ns {
			buf = binary.BigEndian.AppendUint64(buf, uint64(n))
		}
		h.Write(buf)
	}
	for r := range p.ids.Runs() {
		add(int64(r.Src), int64(r.Clone), r.N)
	}
	for _, i := range p.instants {
		add(int64(i))
	}
	for _, tx := range p.early {
		add(int64(len(tx.Datoms)))
	}
	for _, c := range p.columns {
		add(int64(c.a), c.count, c.txs)
	}
	add(int64(p.instant), int64(p.end))
	return dclone.SumDigest(h)
}

// End returns the t behind the last transaction.
func (p *Plan) End() dclone.T { return p.end }

// Transactions returns how many there are behind the bootstrap.
func (p *Plan) Transactions() int64 { return int64(p.end - p.first) }

// Datoms returns how many datoms the first copy carries.
func (p *Plan) Datoms() int64 {
	n := int64(0)
	for _, tx := range p.early {
		n += int64(len(tx.Datoms))
	}
	for _, c := range p.columns {
		n += c.count
	}
	return n
}

// Before returns how many datoms come in transactions before t, about.
func (p *Plan) Before(t dclone.T) int64 {
	n := int64(0)
	for i, tx := range p.early {
		if p.first+dclone.T(len(p.instants)+i) < t {
			n += int64(len(tx.Datoms))
		}
	}
	for _, c := range p.columns {
		n += min(c.count, max(0, int64(t-c.first))*int64(p.opt.MaxBatchSize))
	}
	return n
}

// TxSources returns the source's transaction entities that stay such, in the order of their transactions.
func (p *Plan) TxSources() []dclone.EntityID { return slices.Collect(p.entities.Tx.All()) }

// TxEntities returns how many of the source's transaction entities stay such.
func (p *Plan) TxEntities() int { return len(p.instants) }

// Attributes returns how many attributes of the source's own the clone gets.
func (p *Plan) Attributes() int { return len(p.attributes) }

// Entities returns how many entities get datoms or are referred to.
func (p *Plan) Entities() int64 {
	return p.entities.DB.Len() + p.entities.Tx.Len() + p.entities.User.Len() + p.entities.Value.Len()
}

// KeepsT reports whether the transactions that are replayed after this first copy can keep the t they
// have in a source of another kind: its own transactions end before theirs begin.
func (p *Plan) KeepsT() bool { return p.fit.Foreign() && p.end-1 <= p.src.Basis() }

// NotCarried returns what the clone cannot hold as the source does.
func (p *Plan) NotCarried() []dclone.NotCarried {
	rest := []dclone.NotCarried{
		{Attribute: txInstant.String(), Reason: "transaction entities became ordinary entities", Count: int64(len(p.demoted))},
		{Attribute: txInstant.String(), Reason: "the clone's newest transaction has a later instant"},
	}
	if len(p.demoted) > 0 {
		rest[0].FirstT = p.demoted[0]
	}
	i, newest := 0, dclone.Instant(0)
	for id := range p.entities.Tx.All() {
		if p.instants[i] < newest {
			if rest[1].Count++; rest[1].Count == 1 {
				rest[1].FirstT = id.T()
			}
		}
		newest = max(newest, p.instants[i])
		i++
	}
	for _, n := range p.refused {
		rest = append(rest, *n)
	}
	slices.SortFunc(rest[2:], func(x, y dclone.NotCarried) int {
		return cmp.Or(cmp.Compare(x.Attribute, y.Attribute), cmp.Compare(x.Reason, y.Reason))
	})
	return slices.DeleteFunc(rest, func(n dclone.NotCarried) bool { return n.Count == 0 })
}
