package verify

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"testing"
	"time"

	"dclone"
	"dclone/session"
)

// people writes a database of about n datoms: people with names, ages, tags and friends, written
// 500 at a time; the last tenth comes as small transactions of updates.
func people(t testing.TB, n int) *db {
	d := newDB(t)
	const name, age, tags, friend, score = 73, 74, 75, 76, 77
	d.tx(append(attr(name, kw("person", "name"), typeString, one), append(append(append(
		attr(age, kw("person", "age"), typeLong, one),
		attr(tags, kw("person", "tags"), typeKeyword, many)...),
		attr(friend, kw("person", "friend"), typeRef, one)...),
		attr(score, kw("person", "score"), typeDouble, one)...)...)...)
	r := rand.New(rand.NewPCG(1, 2))
	person := func(i int) dclone.EntityID { return dclone.MakeEntityID(dclone.Partition(17+i/500%7), int64(100+i)) }
	persons := n * 9 / 10 / 6
	for i := 0; i < persons; {
		var datoms []dclone.Datom
		for k := 0; k < 500 && i < persons; k, i = k+1, i+1 {
			e := person(i)
			datoms = append(datoms, add(e, name, fmt.Sprintf("Person Number %d", i)), add(e, age, 20+i%60),
				add(e, tags, kw("tag", fmt.Sprint(i%97))), add(e, tags, kw("tag", fmt.Sprint("x", i%89))),
				add(e, friend, person(r.IntN(i+1))), add(e, score, r.Float64()))
		}
		d.tx(datoms...)
	}
	for k := 0; k < n/10; k += 10 {
		var datoms []dclone.Datom
		for range 5 {
			i := r.IntN(persons)
			datoms = append(datoms, add(person(i), age, 100+k), retract(person(i), age, 20+i%60))
		}
		d.tx(datoms...)
	}
	return d
}

// TestSpeed prints how long a million datoms take, or DCLONE_DATOMS, and how much memory, when
// asked with -v.
func TestSpeed(t *testing.T) {
	if testing.Short() || !testing.Verbose() {
		t.Skip("only with -v")
	}
	n := 1_000_000
	if more, err := strconv.Atoi(os.Getenv("DCLONE_DATOMS")); err == nil {
		n = more
	}
	src := people(t, n).flush()
	dir := t.TempDir()
	began := time.Now()
	syncClone(t, src, dir, session.Options{})
	t.Logf("cloned in %v", time.Since(began))
	for _, opt := range []Options{{Level: Counts}, {Level: Checksum}, {Level: Full}, {Level: Full, MaxMemory: 8 << 20}} {
		peak := watchHeap()
		began := time.Now()
		rep := verifyClone(t, src, dir, opt)
		t.Logf("%s, memory %d: %s, %d datoms in %v, heap at most %d MB", opt.Level, opt.MaxMemory, rep.Status, rep.Datoms,
			time.Since(began), peak()>>20)
	}
}

// watchHeap looks at the heap now and then; peak says by how much it grew at most.
func watchHeap() (peak func() uint64) {
	runtime.GC()
	base := heap()
	stop, result := make(chan struct{}), make(chan uint64)
	go func() {
		most := uint64(0)
		for {
			most = max(most, heap())
			select {
			case <-stop:
				result <- most
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return func() uint64 { close(stop); return <-result - base }
}

func heap() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
