package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"dclone"
	"dclone/datomic/local"
	"dclone/fressian"
)

// The attributes of a shop, the database that tests clone.
const (
	shopName dclone.EntityID = local.FirstEidx + iota
	shopPrice
	shopNext
	shopSecret
)

// A shop is a Datomic Local database that a test makes and goes on with.
type shop struct {
	t   testing.TB
	dir string
}

// makeShop makes a database of n items, a transaction each. The instants of its transactions
// are 1 s apart, from a start that tells one shop from another.
func makeShop(t testing.TB, dir string, n int, start dclone.Instant) *shop {
	t.Helper()
	s := &shop{t, dir}
	d, err := local.LockDir(dir)
	s.must(err)
	defer d.Close()
	w, err := d.Load()
	s.must(err)
	defer w.Close()
	frames := local.Bootstrap()
	s.must(w.Append(frames, local.FrameLengths(frames)))
	frame, err := local.AppendFrame(nil, local.BootstrapT+1, s.schema(start))
	s.must(err)
	s.must(w.Append(frame, []int{len(frame)}))
	s.must(d.Publish(w))
	s.appendItems(w, n, start)
	s.must(os.Remove(filepath.Join(dir, ".lock")))
	return s
}

func (s *shop) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) value(v any) dclone.Value {
	b, err := fressian.Append(nil, v)
	s.must(err)
	return b
}

func (s *shop) instant(t dclone.T, i dclone.Instant) dclone.Datom {
	return dclone.Datom{E: dclone.TxID(t), A: local.AttrTxInstant, V: s.value(i), Added: true}
}

// schema returns the datoms that install the shop's attributes.
func (s *shop) schema(start dclone.Instant) []dclone.Datom {
	const (
		valueType   = 40
		cardinality = 41
		unique      = 42
		one         = 35
		identity    = 38
	)
	datoms := []dclone.Datom{s.instant(local.BootstrapT+1, start)}
	for _, a := range []struct {
		e      dclone.EntityID
		name   string
		typ    int64
		unique bool
	}{{shopName, "name", 23, true}, {shopPrice, "price", 22, false}, {shopNext, "next", 20, false}, {shopSecret, "secret", 23, false}} {
		datoms = append(datoms,
			dclone.Datom{E: a.e, A: dclone.AttrIdent, V: s.value(dclone.Kw("item", a.name)), Added: true},
			dclone.Datom{E: a.e, A: valueType, V: s.value(a.typ), Added: true},
			dclone.Datom{E: a.e, A: cardinality, V: s.value(int64(one)), Added: true})
		if a.unique {
			datoms = append(datoms, dclone.Datom{E: a.e, A: unique, V: s.value(int64(identity)), Added: true})
		}
	}
	for e := shopName; e <= shopSecret; e++ {
		datoms = append(datoms, dclone.Datom{E: 0, A: local.AttrInstallAttribute, V: s.value(int64(e)), Added: true})
	}
	return datoms
}

// item returns the entity id of item i.
func item(i int64) dclone.EntityID { return dclone.MakeEntityID(17, local.FirstEidx+i) }

// appendItems adds n items, each a transaction that refers to the item before.
func (s *shop) appendItems(w *local.Writer, n int, start dclone.Instant) {
	var frames []byte
	var lengths []int
	for t := w.Basis() + 1; n > 0; n-- {
		i := int64(t - local.BootstrapT - 2)
		e := item(i)
		datoms := []dclone.Datom{
			s.instant(t, start+dclone.Instant(t)*1000),
			{E: e, A: shopName, V: s.value("item " + t.String()), Added: true},
			{E: e, A: shopPrice, V: s.value(i * 10), Added: true},
			{E: e, A: shopSecret, V: s.value("hunter2"), Added: true},
		}
		if i > 0 {
			datoms = append(datoms, dclone.Datom{E: e, A: shopNext, V: s.value(int64(item(i - 1))), Added: true})
		}
		before := len(frames)
		var err error
		frames, err = local.AppendFrame(frames, t, datoms)
		s.must(err)
		lengths = append(lengths, len(frames)-before)
		t++
	}
	s.must(w.Append(frames, lengths))
	s.must(w.Sync())
}

// open calls f with a writer of the shop's log, and leaves no lock file.
func (s *shop) open(f func(*local.Writer)) {
	s.t.Helper()
	_, missing := os.Stat(filepath.Join(s.dir, ".lock"))
	d, err := local.LockDir(s.dir)
	s.must(err)
	w, err := d.Open()
	s.must(err)
	f(w)
	s.must(errors.Join(w.Close(), d.Close()))
	if missing != nil {
		s.must(os.Remove(filepath.Join(s.dir, ".lock")))
	}
}

// grow adds n items.
func (s *shop) grow(n int, start dclone.Instant) {
	s.t.Helper()
	s.open(func(w *local.Writer) { s.appendItems(w, n, start) })
}

// refer adds a transaction in which the first item refers to transaction t.
func (s *shop) refer(t dclone.T, start dclone.Instant) {
	s.t.Helper()
	s.open(func(w *local.Writer) {
		now := w.Basis() + 1
		frame, err := local.AppendFrame(nil, now, []dclone.Datom{s.instant(now, start+dclone.Instant(now)*1000),
			{E: item(0), A: shopNext, V: s.value(int64(dclone.TxID(t))), Added: true}})
		s.must(err)
		s.must(w.Append(frame, []int{len(frame)}))
		s.must(w.Sync())
	})
}
