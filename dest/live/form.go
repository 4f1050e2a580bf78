package live

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"dclone"
	"dclone/eidmap"
	"dclone/fressian"
)

// self is the tempid of the transaction itself.
const self dclone.EntityID = math.MinInt64

// A form adds or retracts a datom. Negative ids are tempids.
type form struct {
	added   bool
	e, a    dclone.EntityID
	v       dclone.Value
	tempids dclone.Refs // the parts of v that may be tempids

	frees bool // it takes a unique value away; known only while frames are made
}

// A frame is one transaction.
type frame struct {
	binds dclone.EntityID // the source's transaction entity that the clone's stands for
	forms []form
}

// beside is in place of an entity that a frame binds where it may be under way beside others like it, in any order.
const beside dclone.EntityID = -1

func (f *frame) free() bool { return f.binds == beside }

var errFrame = errors.New("read frame: it is damaged")

// appendFrame appends the encoding of f.
func appendFrame(dst []byte, f *frame) ([]byte, error) {
	items := make([]any, 0, len(f.forms)+1)
	items = append(items, int64(f.binds))
	for _, x := range f.forms {
		items = append(items, []any{x.added, int64(x.e), int64(x.a), fressian.Raw(x.v), int64(x.tempids)})
	}
	return fressian.Append(dst, items)
}

// readFrame reads what appendFrame wrote.
func readFrame(b []byte) (*frame, error) {
	w := fressian.NewWalker(b)
	items := w.Items()
	f := new(frame)
	if !w.More(&items) {
		return nil, errFrame
	}
	f.binds = dclone.EntityID(w.Int())
	for w.More(&items) {
		var x form
		fields := w.Items()
		if fields.Left() != 5 {
			return nil, errFrame
		}
		w.More(&fields)
		x.added = w.Bool()
		w.More(&fields)
		x.e = dclone.EntityID(w.Int())
		w.More(&fields)
		x.a = dclone.EntityID(w.Int())
		w.More(&fields)
		x.v, _ = w.Value(nil)
		w.More(&fields)
		x.tempids = dclone.Refs(w.Int())
		w.More(&fields)
		f.forms = append(f.forms, x)
	}
	if w.End(); w.Err() != nil {
		return nil, fmt.Errorf("%w: %w", errFrame, w.Err())
	}
	return f, nil
}

// split reads frames that lie back to back.
func split(frames []byte, lengths []int) ([]*frame, error) {
	var all []*frame
	for _, n := range lengths {
		if n < 0 || n > len(frames) {
			return nil, errFrame
		}
		f, err := readFrame(frames[:n])
		if err != nil {
			return nil, err
		}
		all = append(all, f)
		frames = frames[n:]
	}
	if len(frames) > 0 {
		return nil, errFrame
	}
	return all, nil
}

// A binding says what tempids stand for, as far as it is known.
type binding map[dclone.EntityID]dclone.EntityID

func (b binding) of(e dclone.EntityID) dclone.EntityID {
	if e >= 0 {
		return e
	}
	if id, ok := b[e]; ok {
		return id
	}
	return e
}

// resolve puts in place of tempids what is known of them. open reports that some are left.
func (x form) resolve(b binding) (out form, open bool, err error) {
	out = form{added: x.added, e: b.of(x.e), a: b.of(x.a), v: x.v}
	open = out.e < 0 || out.a < 0
	if x.tempids == dclone.NoRefs {
		return out, open, nil
	}
	left := false
	out.v, err = rewrite(x.v, x.tempids, func(id dclone.EntityID) any {
		id = b.of(id)
		left = left || id < 0
		return int64(id)
	})
	if left {
		out.tempids = x.tempids
	}
	return out, open || left, err
}

// rewrite replaces the ids in v, of which those that are tempids are negative.
func rewrite(v dclone.Value, refs dclone.Refs, to func(dclone.EntityID) any) (dclone.Value, error) {
	if refs == dclone.WholeRef {
		id, n, ok := fressian.Int(v)
		if !ok || n != len(v) {
			return nil, errFrame
		}
		return fressian.Append(nil, to(dclone.EntityID(id)))
	}
	decoded, rest, err := fressian.Decode(v)
	items, ok := decoded.([]any)
	if err != nil || !ok || len(rest) > 0 {
		return nil, errFrame
	}
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = item
		if id, isID := item.(int64); isID && refs.Element(i) {
			out[i] = to(dclone.EntityID(id))
		}
	}
	return fressian.Append(nil, out)
}

// each calls f with the ids in the value of x that may be tempids.
func (x form) each(f func(dclone.EntityID)) error {
	if x.tempids == dclone.NoRefs {
		return nil
	}
	_, err := rewrite(x.v, x.tempids, func(id dclone.EntityID) any {
		f(id)
		return int64(id)
	})
	return err
}

// tempid returns how e, which may be an id, is sent.
func tempid(e dclone.EntityID) any {
	switch {
	case e >= 0:
		return int64(e)
	case e == self:
		return "datomic.tx"
	}
	return "s" + strconv.FormatInt(-int64(e), 10)
}

var kwAdd, kwRetract = dclone.Kw("db", "add"), dclone.Kw("db", "retract")

var errTuple = errors.New("a tuple refers to an entity that has no id yet")

// txData returns f as it is sent, with what is bound in place of its tempids.
func (f *frame) txData(b binding) ([]byte, error) {
	forms := make([]any, len(f.forms))
	for i, x := range f.forms {
		r, _, err := x.resolve(b)
		if err != nil {
			return nil, err
		}
		op := kwRetract
		if r.added {
			op = kwAdd
		}
		v := r.v
		if r.tempids.IsTuple() {
			return nil, errTuple
		}
		if r.tempids == dclone.WholeRef {
			if v, err = rewrite(v, r.tempids, tempid); err != nil {
				return nil, err
			}
		}
		forms[i] = []any{op, tempid(r.e), tempid(r.a), fressian.Raw(v)}
	}
	return fressian.Append(nil, forms)
}

// tempids returns the tempids of the entities that f asserts something of, each once.
func (f *frame) tempids() (all []dclone.EntityID) {
	seen := map[dclone.EntityID]bool{self: true}
	for _, x := range f.forms {
		if x.e < 0 && !seen[x.e] {
			seen[x.e] = true
			all = append(all, x.e)
		}
	}
	return all
}

// tx binds the transaction that a frame became.
func (b binding) tx(f *frame, t dclone.T) {
	if f.binds > 0 {
		b[-f.binds] = dclone.TxID(t)
	}
}

// each calls do with all that may be tempids of f.
func (f *frame) each(do func(dclone.EntityID)) error {
	for _, x := range f.forms {
		do(x.e)
		do(x.a)
		if err := x.each(do); err != nil {
			return err
		}
	}
	return nil
}

// runs returns what b says as runs of the map.
func (b binding) runs() []eidmap.Run {
	var runs []eidmap.Run
	for e, id := range b {
		runs = append(runs, eidmap.Run{Src: -e, Clone: id, N: 1})
	}
	return eidmap.Join(runs)
}
