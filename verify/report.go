package verify

import (
	"cmp"
	"slices"
	"sync"

	"dclone"
)

// A Report is what a run found out.
type Report struct {
	Status           Status            `json:"status"`
	Level            Level             `json:"level"`
	SourceT          dclone.T          `json:"source_t"`
	CloneT           dclone.T          `json:"clone_t"`
	Attributes       []AttributeReport `json:"attributes"`
	Datoms           int64             `json:"datoms"`       // of the source that hold, the bootstrap's excepted
	Transactions     int64             `json:"transactions"` // replayed, and compared one for one
	Differences      []Difference      `json:"differences"`  // the first of each kind
	DifferencesTotal int64             `json:"differences_total"`
}

// A Status is what a run came to.
type Status string

// What a run can come to.
const (
	OK     Status = "ok"
	Failed Status = "failed"
)

// An AttributeReport compares one attribute. Counts are of datoms that hold, the bootstrap's
// excepted.
type AttributeReport struct {
	Ident       string `json:"ident"`
	SourceCount int64  `json:"source_count"`
	CloneCount  int64  `json:"clone_count"`
	Equal       bool   `json:"equal"`
}

// A Difference is one thing that is not alike. Fields that say nothing of it are left out.
type Difference struct {
	Kind         Kind            `json:"kind"`
	Attribute    string          `json:"attribute,omitempty"`
	SourceEntity dclone.EntityID `json:"source_entity,omitempty"`
	CloneEntity  dclone.EntityID `json:"clone_entity,omitempty"`
	Ident        string          `json:"ident,omitempty"` // of the entity
	SourceT      dclone.T        `json:"source_t,omitempty"`
	CloneT       dclone.T        `json:"clone_t,omitempty"`
	SourceValue  string          `json:"source_value,omitempty"`
	CloneValue   string          `json:"clone_value,omitempty"`
	Text         string          `json:"text"` // all of it, for people
}

// A Kind is a kind of difference.
type Kind string

// The kinds of difference, in the order they are listed.
const (
	KindDrift       Kind = "drift"       // the clone goes on beyond its recorded t
	KindClone       Kind = "clone"       // the clone does not end as recorded
	KindMap         Kind = "map"         // the entity-id map is not one-to-one, or not whole
	KindSchema      Kind = "schema"      // an attribute is defined otherwise
	KindIdent       Kind = "ident"       // a keyword names another entity
	KindTransaction Kind = "transaction" // a replayed transaction is not the source's
	KindInstant     Kind = "instant"     // a transaction has another instant
	KindFirstCopy   Kind = "first_copy"  // the first copy holds what none would
	KindEntity      Kind = "entity"      // the clone has an entity that the source has not
	KindUnmapped    Kind = "unmapped"    // the source has an entity that the clone has not
	KindMissing     Kind = "missing"     // the source has a datom that the clone has not
	KindExtra       Kind = "extra"       // the clone has a datom that the source has not
	KindValue       Kind = "value"       // both have a datom, but its value differs
)

var kindOrder = []Kind{KindDrift, KindClone, KindMap, KindSchema, KindIdent, KindTransaction, KindInstant,
	KindFirstCopy, KindEntity, KindUnmapped, KindMissing, KindExtra, KindValue}

// A finding is a difference before it is put in words. Entities and values are the clone's, and
// so is the attribute, unless it is of the source only.
type finding struct {
	Difference
	a, e       dclone.EntityID
	sourceOnly bool         // a and e are the source's, which have no clone
	src, clone dclone.Value // what either side has; nil where it has nothing
	retraction bool         // it has it as a retraction
	idle       bool         // what it has changes nothing
	past       bool         // it had it when the first copy was made
	order      bool         // it has both, and they came in another order
	named      bool         // a, e and the values are to be put in words
	who        string       // e in words
}

// findings gathers differences. Of each kind the first are kept, of all it is known how many.
type findings struct {
	limit int
	mu    sync.Mutex
	total int64
	kept  map[Kind][]finding
}

func (f *findings) add(d finding) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.addLocked(d)
	f.total++
}

func (f *findings) addLocked(d finding) {
	if f.kept == nil {
		f.kept = map[Kind][]finding{}
	}
	if len(f.kept[d.Kind]) < f.limit {
		d.src, d.clone = slices.Clone(d.src), slices.Clone(d.clone)
		f.kept[d.Kind] = append(f.kept[d.Kind], d)
	}
}

// addAll adds findings that were gathered elsewhere, of which there were total.
func (f *findings) addAll(list []finding, total int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range list {
		f.addLocked(d)
	}
	f.total += total
}

// list returns the findings in order, as many as are to be listed. No kind crowds out another.
func (f *findings) list() []finding {
	left, share := f.limit, max(1, f.limit/max(1, len(f.kept)))
	take := map[Kind]int{}
	for range 2 { // a share for each, then what is left for the first
		for _, k := range kindOrder {
			n := min(len(f.kept[k])-take[k], share, left)
			take[k] += n
			left -= n
		}
		share = left
	}
	var all []finding
	for _, k := range kindOrder {
		kept := f.kept[k]
		slices.SortStableFunc(kept, func(x, y finding) int {
			return cmp.Or(cmp.Compare(x.CloneT, y.CloneT), cmp.Compare(x.a, y.a), cmp.Compare(x.e, y.e))
		})
		all = append(all, kept[:take[k]]...)
	}
	return all
}

// report puts everything in words.
func (r *run) report(first *pass) (Report, error) {
	rep := Report{Status: OK, Level: r.opt.Level, SourceT: r.pos.Source.T, CloneT: r.pos.Clone.T,
		Attributes: first.attributes(), Transactions: first.replayed,
		Differences: []Difference{}, DifferencesTotal: r.found.total}
	for _, a := range rep.Attributes {
		rep.Datoms += a.SourceCount
	}
	if r.found.total == 0 {
		return rep, nil
	}
	rep.Status = Failed
	var err error
	rep.Differences, err = r.name(first, r.found.list())
	return rep, err
}

// attributes lists what was compared, by ident.
func (p *pass) attributes() []AttributeReport {
	list := []AttributeReport{}
	for _, m := range p.matches {
		if m.source == 0 && m.clone == 0 && m.equal {
			continue
		}
		list = append(list, AttributeReport{Ident: m.ident.String(), SourceCount: m.source, CloneCount: m.clone, Equal: m.equal})
	}
	slices.SortStableFunc(list, func(a, b AttributeReport) int { return cmp.Compare(a.Ident, b.Ident) })
	return list
}
