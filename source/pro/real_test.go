package pro_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/source"
	"dclone/source/pro"
	"dclone/store"
)

var ctx = context.Background()

// The restore points of real data, and the peer's dumps of them.
var real = []struct {
	backup                string
	t                     dclone.T
	log, current, history string
}{
	{"alltypes", 1493, "alltypes-1.log", "", ""},
	{"alltypes", 5619, "alltypes-2.log", "alltypes-2.eavt", "alltypes-2.heavt"},
	{"excised", 1039, "excised.log", "", ""},
	{"midindex", 3041, "midindex.log", "", ""},
	{"small", 3041, "", "", ""},
	{"mbrainz", 83157, "mbrainz-1.log", "", ""},
	{"mbrainz", 83207, "mbrainz-2.log", "mbrainz-2.eavt", ""},
}

func open(t testing.TB, db store.Database, at dclone.T) *pro.Conn {
	t.Helper()
	c, err := pro.Open(ctx, db, at)
	require.NoError(t, err)
	return c
}

func eachReal(t *testing.T, do func(t *testing.T, i int, c *pro.Conn)) {
	for i, r := range real {
		t.Run(fmt.Sprint(r.backup, r.t), func(t *testing.T) {
			if testing.Short() && r.backup == "mbrainz" {
				t.Skip("mbrainz takes seconds")
			}
			do(t, i, open(t, realBackup(t, r.backup), r.t))
		})
	}
}

// The transactions are those the peer has.
func TestRealLogs(t *testing.T) {
	eachReal(t, func(t *testing.T, i int, c *pro.Conn) {
		require.Equal(t, real[i].t, c.Basis())
		require.EqualValues(t, 66, c.Born())
		require.Contains(t, c.DatabaseID(), "-")
		var got []string
		for tx, err := range c.Txs(ctx, c.Born()+1) {
			require.NoError(t, err)
			require.NotZero(t, tx.ID)
			got = append(got, fmt.Sprint("T ", tx.T))
			for _, d := range tx.Datoms {
				got = append(got, canonDatom(d))
			}
		}
		if real[i].log != "" {
			same(t, dump(t, real[i].log), got)
		}
	})
}

func same(t *testing.T, want, got []string) {
	t.Helper()
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			t.Fatalf("line %d:\nwant %.200s\ngot  %.200s", i+1, want[i], got[i])
		}
	}
	require.Equal(t, len(want), len(got), "lines")
}

type reader = func(context.Context, dclone.EntityID) iter.Seq2[[]dclone.Datom, error]

// collect reads all of an attribute.
func collect(read reader, a dclone.EntityID) (all []dclone.Datom, err error) {
	for datoms, err := range read(ctx, a) {
		if err != nil {
			return nil, err
		}
		if len(datoms) == 0 {
			return nil, fmt.Errorf("an empty slice")
		}
		all = append(all, datoms...)
	}
	return all, nil
}

// lines collects all attributes, two at a time, as a dump has them, sorted.
func lines(t *testing.T, s source.Snapshot, read reader) (all []string) {
	var mu sync.Mutex
	var group sync.WaitGroup
	work := make(chan dclone.EntityID)
	for range 2 {
		group.Go(func() {
			for a := range work {
				datoms, err := collect(read, a)
				mu.Lock()
				if err != nil {
					t.Errorf("attribute %d: %v", a, err)
				}
				for _, d := range datoms {
					all = append(all, canonDatom(d))
				}
				mu.Unlock()
			}
		})
	}
	for _, a := range s.Attributes() {
		work <- a.A
	}
	close(work)
	group.Wait()
	slices.Sort(all)
	return all
}

// once drops datoms that say again what holds already. Transactions that alter an attribute do, and
// the peer shows them all.
func once(dump []string) (kept []string) {
	first := map[string]string{}
	for _, line := range dump {
		tx := strings.LastIndexByte(line[:len(line)-2], ' ')
		if old, ok := first[line[:tx]]; !ok || line < old {
			first[line[:tx]] = line
		}
	}
	for _, line := range first {
		kept = append(kept, line)
	}
	return kept
}

// The datoms that hold, and those of all time, are those the peer has.
func TestRealDatoms(t *testing.T) {
	eachReal(t, func(t *testing.T, i int, c *pro.Conn) {
		s, err := c.Snapshot(ctx, c.Basis(), source.Options{})
		require.NoError(t, err)
		defer s.Close()
		if real[i].current != "" {
			want := once(dump(t, real[i].current))
			slices.Sort(want)
			same(t, want, lines(t, s, s.Current))
			same(t, want, lines(t, s, s.Holders))
		}
		if real[i].history != "" {
			want := dump(t, real[i].history)
			slices.Sort(want)
			same(t, want, lines(t, s, s.History))
		}
	})
}
