package local

import (
	"bytes"
	"errors"
	"iter"
	"slices"

	"dclone"
)

const (
	fewValues = 64 // are rather compared with each other than sorted by keys
	samples   = 32 // values that tell what is probably common to all
)

// errNotShared says that a form does not begin as the others do.
var errNotShared = errors.New("forms differ where they should not")

// A valueSorter sorts records of one attribute by their values, keeping the order of records
// whose values are equal. Values are sorted by the first bytes of their forms that are not common
// to all, and groups that these do not tell apart by the bytes that follow.
//
// To sort is to prepare records, to arrange all of them or parts of them one by one, and to
// finish. Preparing reads every value once, in the order of the log, and keeps the head of its
// form; only values that are alike as far as that goes are read again.
type valueSorter struct {
	keyer
	reader *DatomReader
	table  formTable
	prefix []byte     // what all forms begin with and the table leaves out
	deep   [][]Record // groups that are alike as far as the table goes
	same   [][]Record // groups with equal values and, it may be, one transaction

	// equal is called with records whose values are equal, some of one transaction, in their
	// order. It may be nil.
	equal func([]Record) error
}

// begin makes s ready for the values of a.
func (s *valueSorter) begin(a dclone.EntityID) { s.keyer = keyer{a: a, buf: s.buf} }

// sort sorts r. It leaves in the E of the records the keys they were sorted by, which say all
// where values are numbers. scratch must be as long as r.
func (s *valueSorter) sort(r, scratch []Record) error {
	if err := s.prepare(r); err != nil {
		return err
	}
	s.arrange(r, scratch)
	return s.finish(r, scratch)
}

// sortBehind sorts records whose forms all begin with s.prefix. Where one does not, it shortens
// that and returns errNotShared.
func (s *valueSorter) sortBehind(r, scratch []Record) error {
	if err := s.prepareBehind(r); err != nil {
		return err
	}
	s.arrange(r, scratch)
	return s.finish(r, scratch)
}

// prepare makes the E of records the keys of their values, and their P indexes of the table.
func (s *valueSorter) prepare(r []Record) error {
	if err := s.guess(r); err != nil {
		return err
	}
	for {
		if err := s.prepareBehind(r); err != errNotShared {
			return err
		}
	}
}

// guess makes s.prefix what the forms of some of the values have in common.
func (s *valueSorter) guess(r []Record) error {
	var c common
	var some [samples]Record
	for i := range some {
		some[i] = r[i*len(r)/samples]
	}
	err := s.share(&c, some[:])
	s.prefix = append(s.prefix[:0], c.first[:c.length]...)
	return err
}

// prepareBehind is prepare for records whose forms all begin with s.prefix. Where one does not,
// it shortens that and returns errNotShared.
func (s *valueSorter) prepareBehind(r []Record) error {
	s.table.reset(r)
	s.deep, s.same = s.deep[:0], s.same[:0]
	for k := range r {
		i := s.table.inOrder(k)
		d, err := s.reader.Datom(s.table.pointers[i])
		if err != nil {
			return err
		}
		s.table.keepTx(i, d.Tx)
		key, err := s.keep(i, d.V)
		if err != nil {
			return err
		}
		r[i].E = dclone.EntityID(key)
	}
	for i := range r {
		r[i].P = Pointer(i)
	}
	return nil
}

// keep returns the key of the i-th value, and keeps the head of its form if it has one.
func (s *valueSorter) keep(i int, v dclone.Value) (uint64, error) {
	if s.numbers() {
		return s.number(v)
	}
	form, err := s.form(v)
	if err != nil {
		return 0, err
	}
	if !bytes.HasPrefix(form, s.prefix) {
		// At least by half, so that it does not take many readings to come to what all share.
		s.prefix = s.prefix[:min(sharedLength(s.prefix, form), len(s.prefix)/2)]
		return 0, errNotShared
	}
	s.table.keep(i, form[len(s.prefix):])
	return s.table.key(Pointer(i), 0), nil
}

// arrange sorts prepared records.
func (s *valueSorter) arrange(r, scratch []Record) {
	sortRecords(r, scratch)
	s.refine(r, scratch, chunkBytes)
}

// refine sorts records that are sorted by their keys by what their forms hold from an offset on.
// Their E stay as they are.
func (s *valueSorter) refine(r, scratch []Record, offset int) {
	for from, to := range runs(r) {
		group := r[from:to]
		switch key := group[0].E; {
		case s.exact(uint64(key)):
			s.tell(group)
		case len(group) <= fewValues:
			s.arrangeFew(group)
		case offset >= s.table.head:
			s.deep = append(s.deep, group)
		default:
			for i := range group {
				group[i].E = dclone.EntityID(s.table.key(group[i].P, offset))
			}
			sortRecords(group, scratch)
			s.refine(group, scratch, offset+chunkBytes)
			setE(group, key)
		}
	}
}

// exact reports whether values with this key are equal, if they were alike before it.
func (s *valueSorter) exact(key uint64) bool { return s.numbers() || key&0xff != moreChunks }

func setE(r []Record, e dclone.EntityID) {
	for i := range r {
		r[i].E = e
	}
}

// arrangeFew sorts prepared records by comparing them with each other.
func (s *valueSorter) arrangeFew(r []Record) {
	compare := func(x, y Record) int { return s.table.compare(x.P, y.P) }
	slices.SortStableFunc(r, compare)
	for from, to := range groups(len(r), func(i, j int) bool { return compare(r[i], r[j]) == 0 }) {
		if _, more := s.table.form(r[from].P); more {
			s.deep = append(s.deep, r[from:to])
		} else {
			s.tell(r[from:to])
		}
	}
}

// tell remembers records with equal values if two may be of one transaction.
func (s *valueSorter) tell(r []Record) {
	if s.equal == nil {
		return
	}
	for i := 1; i < len(r); i++ {
		if s.table.txs[r[i].P] == s.table.txs[r[i-1].P] {
			s.same = append(s.same, r)
			return
		}
	}
}

// finish makes the P of records pointers again, and sorts those that the table could not.
func (s *valueSorter) finish(r, scratch []Record) error {
	for i := range r {
		r[i].P = s.table.pointers[r[i].P]
	}
	for _, group := range s.same {
		if err := s.equal(group); err != nil {
			return err
		}
	}
	if len(s.deep) == 0 {
		return nil
	}
	prefix, offset := slices.Clone(s.prefix), len(s.prefix)+s.table.head
	for _, group := range slices.Clone(s.deep) {
		if err := s.sortDeep(group, scratch, offset); err != nil {
			return err
		}
	}
	s.prefix = prefix
	return nil
}

// sortDeep sorts records whose forms are alike up to an offset. Their E stay as they are.
func (s *valueSorter) sortDeep(r, scratch []Record, offset int) error {
	c := common{from: offset}
	if err := s.share(&c, r); err != nil {
		return err
	}
	if c.same {
		if s.equal == nil {
			return nil
		}
		return s.equal(r)
	}
	key := r[0].E
	s.prefix = append(s.prefix[:0], c.first[:c.length]...)
	err := s.sortBehind(r, scratch)
	setE(r, key)
	return err
}

// groups yields the bounds of every group of two or more neighbours that are the same.
func groups(n int, same func(i, j int) bool) iter.Seq2[int, int] {
	return func(yield func(from, to int) bool) {
		for from := 0; from < n; {
			to := from + 1
			for to < n && same(from, to) {
				to++
			}
			if to-from > 1 && !yield(from, to) {
				return
			}
			from = to
		}
	}
}

// runs yields the bounds of every run of equal E that has more than one record.
func runs(r []Record) iter.Seq2[int, int] {
	return groups(len(r), func(i, j int) bool { return r[i].E == r[j].E })
}

// common is what the forms of some values are known to have in common.
type common struct {
	from   int    // all forms are alike before this offset
	first  []byte // the first form; nil before it
	length int    // how much of it the others share
	same   bool   // whether they share all of it and have no more
}

// share finds what c and the forms of the values of r have in common. It stops where that is
// nothing; numbers have nothing to share.
func (s *valueSorter) share(c *common, r []Record) error {
	for i := range r {
		d, err := s.reader.Datom(r[i].P)
		if err != nil {
			return err
		}
		form, err := s.form(d.V)
		if err != nil || s.numbers() {
			return err
		}
		if len(form) < c.from {
			return errChanged
		}
		if c.first == nil {
			*c = common{from: c.from, first: append([]byte{}, form...), length: len(form), same: true}
			continue
		}
		c.length = c.from + sharedLength(c.first[c.from:c.length], form[c.from:])
		c.same = c.same && c.length == len(c.first) && c.length == len(form)
		if c.length == c.from && !c.same {
			return nil
		}
	}
	return nil
}

func sharedLength(a, b []byte) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}
