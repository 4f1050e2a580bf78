package verify

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/session"
)

// oddities are sources that differ from their clones in ways that are no differences.
var oddities = []struct {
	name        string
	first, more func(*db)
}{
	{name: "the source asserts twice",
		first: func(d *db) {
			d.tx(attr(73, kw("a", "long"), typeLong, many)...)
			d.tx(add(ann, 73, 1), add(bob, 73, 1))
			d.tx(add(ann, 73, 1))
		},
		more: func(d *db) { d.tx(add(bob, 73, 1)); d.tx(retract(ann, 73, 1)) }},
	{name: "values that are equal but for their bytes",
		first: func(d *db) {
			d.tx(attr(73, kw("a", "dec"), typeBigDec, many)...)
			d.tx(add(ann, 73, decimal(10, 1)), add(bob, 73, decimal(10, 1)))
			d.tx(add(ann, 73, decimal(100, 2)), add(bob, 73, decimal(1000, 3)), add(cid, 73, decimal(1, 0)))
			d.tx(retract(bob, 73, decimal(1, 0)), add(bob, 73, decimal(10000, 4)))
		},
		more: func(d *db) { d.tx(retract(ann, 73, decimal(1, 0)), add(cid, 73, decimal(10, 1))) }},
	{name: "NaN",
		first: func(d *db) {
			d.tx(attr(73, kw("a", "double"), typeDouble, many)...)
			d.tx(add(ann, 73, 1.5), add(bob, 73, math.NaN()), add(cid, 73, 2.5), add(cid, 73, math.NaN()))
			d.tx(add(ann, 73, math.NaN()), retract(cid, 73, math.NaN()))
		},
		more: func(d *db) { d.tx(retract(ann, 73, math.NaN()), add(bob, 73, 1.5)) }},
	{name: "the source retracts what never was",
		first: func(d *db) {
			d.tx(append(attr(73, kw("a", "long"), typeLong, many), attr(74, kw("a", "ref"), typeRef, many)...)...)
			d.tx(retract(ann, 73, 1), add(bob, 73, 1), retract(bob, 73, 2), retract(bob, 74, cid))
			d.tx(add(bob, 73, 2))
		},
		more: func(d *db) {
			d.tx(retract(cid, 73, 7), retract(bob, 74, late), retract(bob, 73, 9)) // cid and late have no clone yet
			d.tx(add(cid, 73, 7), add(bob, 74, late))
			d.tx(retract(red, 73, 7))
		}},
	{name: "instants go back",
		first: func(d *db) {
			d.tx(append(attr(73, kw("a", "long"), typeLong, many), attr(74, kw("a", "ref"), typeRef, many)...)...)
			d.txAt(instant(50), add(thisTx, 73, 1))
			d.txAt(instant(40), add(thisTx, 73, 2))
			d.txAt(instant(60), add(thisTx, 73, 3))
		},
		more: func(d *db) {
			d.txAt(instant(55), add(thisTx, 73, 4), add(ann, 73, 1))
			d.txAt(instant(60))
			d.txAt(instant(61), add(ann, 73, 2), add(dclone.TxID(8), 73, 9))
			d.txAt(instant(-1e9), add(thisTx, 74, dclone.TxID(9)))
		}},
	{name: "the instant is not first, and missing",
		first: func(d *db) {
			d.tx(attr(73, kw("a", "long"), typeLong, many)...)
			d.tx(add(ann, 73, 1))
		},
		more: func(d *db) {
			d.raw(add(ann, 73, 2), add(thisTx, 50, dclone.Instant(instant(90))), add(ann, 73, 3))
			d.raw(add(ann, 73, 4))
		}},
	{name: "a transaction was referred to before it came",
		first: func(d *db) {
			d.tx(append(attr(73, kw("a", "long"), typeLong, many), attr(74, kw("a", "ref"), typeRef, many)...)...)
			d.tx(add(ann, 74, dclone.TxID(9)))
		},
		more: func(d *db) {
			d.tx(add(ann, 74, dclone.TxID(10)))
			d.tx(add(thisTx, 73, 9))
			d.tx()
			d.tx(add(thisTx, 73, 11), add(ann, 74, dclone.TxID(9)))
		}},
	{name: "a builtin's own datoms",
		first: func(d *db) { d.tx(add(63, attrDoc, "more to say"), add(dclone.TxID(3), attrDoc, "docs")) },
		more:  func(d *db) { d.tx(add(dclone.TxID(1), attrDoc, "no instant"), add(10, attrDoc, "names")) }},
}

func TestOddSources(t *testing.T) {
	for _, o := range oddities {
		t.Run(o.name, func(t *testing.T) {
			d := newDB(t)
			o.first(d)
			src, dir := d.flush(), t.TempDir()
			syncClone(t, src, dir, session.Options{})
			for _, l := range levels {
				requireSame(t, verifyClone(t, src, dir, Options{Level: l}))
			}
			o.more(d)
			d.flush()
			syncClone(t, src, dir, session.Options{})
			for _, l := range levels {
				requireSame(t, verifyClone(t, src, dir, Options{Level: l}))
			}
		})
	}
}

// requireSame is requireOK for sources that may count otherwise than their clones.
func requireSame(t testing.TB, rep Report) {
	t.Helper()
	for _, d := range rep.Differences {
		t.Logf("%s: %s", d.Kind, d.Text)
	}
	require.Equal(t, OK, rep.Status, rep.Level)
}

func TestCancel(t *testing.T) {
	src, dir := cloneOf(t, zoo(t), nil, session.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	var stages []Stage
	_, err := tryVerifyContext(ctx, t, src, dir, Options{Progress: func(p Progress) {
		stages = append(stages, p.Stage)
		if p.Done > 0 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	require.Contains(t, stages, Reading)
}
