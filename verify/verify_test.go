package verify

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/session"
)

var levels = []Level{Counts, Checksum, Full}

// cloneOf clones the database twice: as it was, and with what more adds replayed.
func cloneOf(t testing.TB, d *db, more func(*db) *db, opt session.Options) (src, dir string) {
	src, dir = d.flush(), t.TempDir()
	syncClone(t, src, dir, opt)
	if more != nil {
		more(d).flush()
		syncClone(t, src, dir, opt)
	}
	return src, dir
}

func requireOK(t testing.TB, rep Report) {
	t.Helper()
	for _, d := range rep.Differences {
		t.Logf("%s: %s", d.Kind, d.Text)
	}
	require.Equal(t, OK, rep.Status)
	require.Zero(t, rep.DifferencesTotal)
	for _, a := range rep.Attributes {
		require.True(t, a.Equal, a.Ident)
		require.Equal(t, a.SourceCount, a.CloneCount, a.Ident)
	}
}

func TestEqual(t *testing.T) {
	for _, policy := range []string{"used", "all", "none"} {
		t.Run(policy, func(t *testing.T) {
			d := zoo(t)
			src, dir := d.flush(), t.TempDir()
			opt := session.Options{TxEntities: policy, MaxBatchSize: 7}
			syncClone(t, src, dir, opt)
			for _, l := range levels {
				requireOK(t, verifyClone(t, src, dir, Options{Level: l}))
			}
			more(d).flush()
			for _, l := range levels {
				requireOK(t, verifyClone(t, src, dir, Options{Level: l})) // as of its position
			}
			syncClone(t, src, dir, session.Options{})
			for _, l := range levels {
				rep := verifyClone(t, src, dir, Options{Level: l})
				requireOK(t, rep)
				require.Equal(t, d.at, rep.SourceT)
				if l != Counts {
					require.EqualValues(t, 8, rep.Transactions)
				}
			}
		})
	}
}

func TestEqualEmpty(t *testing.T) {
	src, dir := cloneOf(t, newDB(t), nil, session.Options{})
	for _, l := range levels {
		requireOK(t, verifyClone(t, src, dir, Options{Level: l}))
	}
	src, dir = cloneOf(t, newDB(t), more2, session.Options{})
	for _, l := range levels {
		requireOK(t, verifyClone(t, src, dir, Options{Level: l}))
	}
}

func more2(d *db) *db { d.tx(add(thisTx, attrDoc, "the first")); return d }

func TestReportJSON(t *testing.T) {
	src, dir := cloneOf(t, newDB(t), nil, session.Options{})
	b, err := json.Marshal(verifyClone(t, src, dir, Options{}))
	require.NoError(t, err)
	require.JSONEq(t, `{"status":"ok","level":"full","source_t":5,"clone_t":5,"attributes":[],"datoms":0,
		"transactions":0,"differences":[],"differences_total":0}`, string(b))
}

func TestReport(t *testing.T) {
	src, dir := cloneOf(t, zoo(t), more, session.Options{})
	rep := verifyClone(t, src, dir, Options{})
	require.Contains(t, rep.Attributes, AttributeReport{Ident: ":person/tags", SourceCount: 1, CloneCount: 1, Equal: true})
	require.Contains(t, rep.Attributes, AttributeReport{Ident: ":person/friend", SourceCount: 2, CloneCount: 2, Equal: true})

	l := readLog(t, dir)
	l.remove(l.of(kw("person", "tags"), kw("tag", "b"), true))
	l.write(dir)
	for _, level := range levels {
		rep = verifyClone(t, src, dir, Options{Level: level})
		require.Contains(t, rep.Attributes, AttributeReport{Ident: ":person/tags", SourceCount: 1, CloneCount: 0, Equal: false})
		require.Contains(t, rep.Attributes, AttributeReport{Ident: ":person/friend", SourceCount: 2, CloneCount: 2, Equal: true})
		require.Len(t, rep.Differences, 1)
		d := rep.Differences[0]
		require.Equal(t, Difference{Kind: KindMissing, Attribute: ":person/tags", SourceEntity: ann, CloneEntity: d.CloneEntity,
			SourceValue: ":tag/b", Text: d.Text}, d)
		require.Equal(t, fmt.Sprintf("entity %d (clone: %d): :person/tags: the clone lacks :tag/b", ann, d.CloneEntity), d.Text)
	}
}

// TestLimit makes sure that differences of one kind do not crowd out those of another.
func TestLimit(t *testing.T) {
	src, dir := cloneOf(t, zoo(t), more, session.Options{})
	l := readLog(t, dir)
	for i := range l.txs {
		for k, d := range l.txs[i].Datoms {
			if d.A == l.attr(kw("person", "name")) {
				l.txs[i].Datoms[k].V = value("nobody")
			}
		}
	}
	l.change(l.of(kw("person", "age"), 41, true), set(42))
	l.remove(l.of(kw("person", "site"), nil, true))
	l.write(dir)
	rep := verifyClone(t, src, dir, Options{Limit: 3})
	require.Len(t, rep.Differences, 3)
	require.Greater(t, rep.DifferencesTotal, int64(8))
	kinds := map[Kind]bool{}
	for _, d := range rep.Differences {
		kinds[d.Kind] = true
	}
	require.Len(t, kinds, 3)
	_, err := tryVerify(t, src, dir, Options{Level: "most"})
	require.Error(t, err)
}
