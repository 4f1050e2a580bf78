package desttest

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/historytest"
	"dclone/session"
)

// Builtins, by their numbers.
const (
	attrIdent  = dclone.AttrIdent
	attrDoc    = 63
	attrUnique = 42
	identity   = 38
	typeRef    = 20
	typeString = 23
	typeDouble = 58
	typeTuple  = 64
	typeBigdec = 62
	attrParts  = 68
	attrPreds  = 72
)

func user(eidx int64) dclone.EntityID { return dclone.MakeEntityID(17, eidx) }

func say(e, a dclone.EntityID, v any) dclone.Datom   { return historytest.Datom(e, a, v, true) }
func unsay(e, a dclone.EntityID, v any) dclone.Datom { return historytest.Datom(e, a, v, false) }

// cases are histories with one hard thing each. They tell where a first copy may come between, or a run.
var cases = []struct {
	name string
	tell func(h *historytest.History, run func())
}{
	{"an empty database", func(h *historytest.History, run func()) { run() }},
	{"transactions of nothing, and of themselves", func(h *historytest.History, run func()) {
		text := h.Attribute("text", typeString, false)
		h.Commit()
		run()
		h.Commit()
		tx := dclone.TxID(h.Basis() + 1)
		h.Commit(say(tx, text, "says so itself"))
		run()
		h.Commit(say(tx, text, "later"), unsay(tx, text, "says so itself"))
		h.Commit(say(dclone.TxID(h.Basis()+1), attrDoc, "a run"), say(user(500), text, "x"))
	}},
	{"refs to later, to themselves, to nothing", func(h *historytest.History, run func()) {
		ref, text := h.Attribute("ref", typeRef, true), h.Attribute("text", typeString, false)
		h.Commit(say(user(100), ref, int64(user(200))), say(user(101), ref, int64(user(101))))
		run()
		h.Commit(say(user(200), text, "now it has"), say(user(102), ref, int64(user(103))), say(user(103), ref, int64(user(102))))
		run()
		h.Commit(unsay(user(200), text, "now it has"))
		h.Commit(say(user(200), text, "again"), unsay(user(100), ref, int64(user(200))), say(user(104), ref, int64(dclone.TxID(h.Basis()+1))))
		run()
		h.Commit(say(user(105), ref, int64(dclone.TxID(h.Basis()+3)))) // the transaction after the next
		h.Commit(say(user(105), text, "x"))
		h.Commit(say(user(105), ref, int64(user(100))))
	}},
	{"unique values that move", func(h *historytest.History, run func()) {
		id := h.Attribute("id", typeString, false)
		h.Commit(say(id, attrUnique, int64(identity)))
		h.Commit(say(user(100), id, "a"), say(user(101), id, "b"))
		run()
		h.Commit(say(user(100), id, "b"), unsay(user(100), id, "a"), say(user(101), id, "a"), unsay(user(101), id, "b"))
		run()
		h.Commit(unsay(user(100), id, "b"))
		h.Commit(say(user(102), id, "b"))
		run()
		h.Commit(say(user(103), id, "a"), unsay(user(101), id, "a"))
	}},
	{"names that move", func(h *historytest.History, run func()) {
		text, ref := h.Attribute("text", typeString, false), h.Attribute("ref", typeRef, false)
		name := func(n string) dclone.Keyword { return dclone.Kw("test", n) }
		h.Commit(say(user(100), attrIdent, name("fr")), say(user(101), attrIdent, name("de")), say(user(100), text, "FR"))
		h.Commit(say(user(102), ref, int64(user(100))))
		run()
		h.Commit(say(text, attrIdent, name("txt")), unsay(text, attrIdent, name("text")))
		h.Commit(say(user(100), text, "fr"), unsay(user(100), text, "FR"))
		run()
		h.Commit(say(user(101), attrIdent, name("at")), unsay(user(101), attrIdent, name("de")))
		h.Commit(say(user(103), attrIdent, name("de")), say(user(103), ref, int64(user(101))))
	}},
	{"equal values in other forms", func(h *historytest.History, run func()) {
		one, many := h.Attribute("one", typeBigdec, false), h.Attribute("many", typeBigdec, true)
		h.Commit(say(user(100), one, decimal(10, 1)), say(user(100), many, decimal(10, 1)))
		run()
		h.Commit(say(user(100), one, decimal(100, 2)), unsay(user(100), one, decimal(10, 1)), say(user(100), many, decimal(100, 2)))
		run()
		h.Commit(unsay(user(100), many, decimal(100, 2))) // ends both
		h.Commit(say(user(100), many, decimal(1, 0)))
	}},
	{"a string longer than Datomic Local takes, predicates", func(h *historytest.History, run func()) {
		text := h.Attribute("text", typeString, false)
		h.Commit(say(text, attrPreds, dclone.Symbol(dclone.Kw("test", "short?"))))
		h.Commit(say(user(100), text, "short"), say(user(101), text, strings.Repeat("long ", 1000)))
		run()
		h.Commit(say(user(102), text, strings.Repeat("long ", 1000)))
		h.Commit(say(user(102), text, "short"), unsay(user(102), text, strings.Repeat("long ", 1000)))
	}},
	{"composite tuples", func(h *historytest.History, run func()) {
		a, b := h.Attribute("a", typeString, false), h.Attribute("b", typeRef, false)
		h.Commit(say(user(100), a, "before"))
		pair := b + 1
		h.Commit(say(pair, attrIdent, dclone.Kw("test", "pair")), say(pair, 40, int64(typeTuple)), say(pair, 41, int64(35)),
			say(pair, attrParts, []any{dclone.Kw("test", "a"), dclone.Kw("test", "b")}), say(0, 13, int64(pair)))
		run()
		h.Commit(say(user(101), a, "x"), say(user(101), b, int64(user(102))), say(user(101), pair, []any{"x", int64(user(102))}))
		run()
		h.Commit(say(user(101), a, "y"), unsay(user(101), a, "x"),
			say(user(101), pair, []any{"y", int64(user(102))}), unsay(user(101), pair, []any{"x", int64(user(102))}))
		h.Commit(unsay(user(101), b, int64(user(102))),
			say(user(101), pair, []any{"y", nil}), unsay(user(101), pair, []any{"y", int64(user(102))}))
	}},
}

// testCases makes the first copy at each place where a run may come.
func testCases(t *testing.T, k Kind) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for first := 0; ; first++ {
				p := k.pair(t, filepath.Join(t.TempDir(), "source"))
				h, runs := historytest.New(t, p.src, 1), 0
				run := func() {
					if runs++; runs > first {
						p.must(t, session.Options{})
						p.check(t)
					}
				}
				c.tell(h, run)
				last := runs <= first
				runs = max(runs, first)
				run()
				if last {
					return
				}
			}
		})
	}
}

// testHistories makes first copies of random histories, and catches up several times.
func testHistories(t *testing.T, k Kind) {
	done := 0
	for _, seed := range k.seeds(t) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { done += k.history(t, seed) })
	}
	require.NotZero(t, done, "no history came further than its first copy")
}
