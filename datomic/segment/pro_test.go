package segment_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"math/big"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"dclone"
	"dclone/datomic/segment"
	"dclone/fressian"
	"dclone/realdata"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// A proBackup is a backup that Datomic Pro wrote.
type proBackup struct {
	roots    map[dclone.T][]byte
	segments map[segment.ID][]byte // as they are stored
}

func readBackup(t testing.TB, name string) proBackup {
	b := proBackup{map[dclone.T][]byte{}, map[segment.ID][]byte{}}
	for name, content := range realdata.Entries(t, "pro", name+".tar") {
		switch dir := path.Base(path.Dir(name)); {
		case dir == "roots":
			at, err := strconv.ParseInt(path.Base(name), 10, 64)
			require.NoError(t, err)
			b.roots[dclone.T(at)] = content
		case len(dir) == 2:
			b.segments[path.Base(name)] = content
		}
	}
	require.NotEmpty(t, b.roots)
	require.NotEmpty(t, b.segments)
	return b
}

func (b proBackup) raw(t testing.TB, id segment.ID) []byte {
	require.Contains(t, b.segments, id)
	raw, err := segment.Unpack(nil, b.segments[id], segment.MaxSize)
	require.NoError(t, err)
	return raw
}

func (b proBackup) root(t testing.TB, at dclone.T) segment.BackupRoot {
	require.Contains(t, b.roots, at)
	root, err := segment.ParseBackupRoot(b.roots[at])
	require.NoError(t, err)
	return root
}

// eachTx calls f with every transaction of the log.
func (b proBackup) eachTx(t testing.TB, root segment.BackupRoot, f func(*dclone.Tx)) {
	read := func(r *segment.TxReader) {
		for r.Next() {
			f(r.Tx())
		}
		require.NoError(t, r.Err())
	}
	dirs, err := segment.ParseLogDir(b.raw(t, root.Log))
	require.NoError(t, err)
	for _, dir := range dirs {
		leaves, err := segment.ParseLogDir(b.raw(t, dir.ID))
		require.NoError(t, err)
		for _, leaf := range leaves {
			read(segment.NewTxReader(b.raw(t, leaf.ID), false))
		}
	}
	read(segment.NewTxReader(root.Tail, true))
}

var proBackups = []string{"alltypes", "excised", "small", "midindex", "mbrainz"}

// Every segment of real backups is a node, all that it refers to is there, and what is there and
// not reachable belongs to nothing.
func TestRealNodes(t *testing.T) {
	for _, name := range proBackups {
		t.Run(name, func(t *testing.T) {
			b := readBackup(t, name)
			kinds := map[segment.Kind]int{}
			for id := range b.segments {
				raw := b.raw(t, id)
				kind, ids, err := segment.Children(raw)
				require.NoError(t, err, id)
				again, idsAgain, err := segment.Check(raw)
				require.NoError(t, err, id)
				require.Equal(t, kind, again)
				require.Equal(t, ids, idsAgain)
				kinds[kind]++
				for _, child := range ids {
					require.Contains(t, b.segments, child, "child of %s, %s", id, kind)
				}
			}
			reached := map[segment.ID]bool{}
			for at := range b.roots {
				root := b.root(t, at)
				b.reach(t, root.Index, reached)
				b.reach(t, root.Log, reached)
			}
			require.Len(t, reached, len(b.segments), "segments that nothing refers to")
			t.Log(kinds)
			require.NotContains(t, kinds, segment.Unknown)
		})
	}
}

func (b proBackup) reach(t *testing.T, id segment.ID, reached map[segment.ID]bool) {
	if reached[id] {
		return
	}
	reached[id] = true
	_, ids, err := segment.Children(b.raw(t, id))
	require.NoError(t, err)
	for _, child := range ids {
		b.reach(t, child, reached)
	}
}

// What the leaves of a tree hold, the dir nodes say of them.
func TestRealSpans(t *testing.T) {
	for _, name := range proBackups {
		t.Run(name, func(t *testing.T) {
			b := readBackup(t, name)
			for id := range b.segments {
				raw := b.raw(t, id)
				if kind, _ := segment.KindOf(raw); kind != segment.KindDirNode {
					continue
				}
				spans, err := segment.ParseDirNode(raw)
				require.NoError(t, err)
				var leaf *segment.Leaf
				for i, s := range spans {
					if i == 0 || s.ID != spans[i-1].ID {
						leaf, err = segment.ParseLeaf(b.raw(t, s.ID))
						require.NoError(t, err)
					}
					require.LessOrEqual(t, s.Offset+s.Count, leaf.Len())
					requireKey(t, leaf.Datom(s.Offset), s.Key)
				}
			}
		})
	}
}

// requireKey fails where a key says other than the datom it stands for; 0 and nil say nothing.
func requireKey(t *testing.T, d dclone.Datom, k segment.Key) {
	if k.E != 0 && k.E != d.E || k.A != 0 && k.A != d.A || k.T != 0 && k.T != d.Tx.T() {
		require.Failf(t, "another key", "%v for %v", k, d)
	}
	if k.V == nil || bytes.Equal(k.V, d.V) {
		return
	}
	whole, _, err := fressian.Decode(d.V)
	require.NoError(t, err)
	cut, _, err := fressian.Decode(k.V)
	require.NoError(t, err)
	require.IsType(t, "", cut, "%X for %X", k.V, d.V)
	require.True(t, strings.HasPrefix(whole.(string), cut.(string)), "%s for %s", cut, whole)
}

// The log says what Datomic's tx-range says.
func TestRealLog(t *testing.T) {
	tests := []struct {
		backup, dump string
		at           dclone.T
	}{
		{"alltypes", "alltypes-1.log.gz", 1493},
		{"alltypes", "alltypes-2.log.gz", 5619},
		{"excised", "excised.log.gz", 1039},
		{"midindex", "midindex.log.gz", 3041},
		{"mbrainz", "mbrainz-1.log.gz", 83157},
		{"mbrainz", "mbrainz-2.log.gz", 83207},
	}
	for _, test := range tests {
		t.Run(test.dump, func(t *testing.T) {
			b := readBackup(t, test.backup)
			want := dumpLines(t, filepath.Join("expected", test.dump))
			lines := 0
			expect := func(got string) {
				if !want.Scan() || want.Text() != got {
					require.Equal(t, want.Text(), got, "line %d", lines+1)
				}
				lines++
			}
			b.eachTx(t, b.root(t, test.at), func(tx *dclone.Tx) {
				require.NotZero(t, tx.ID)
				require.NotZero(t, tx.Instant)
				expect(fmt.Sprintf("T %d", tx.T))
				for _, d := range tx.Datoms {
					expect(datomLine(t, d))
				}
			})
			require.False(t, want.Scan(), "the dump has more: %s", want.Text())
			require.Positive(t, lines)
		})
	}
}

// The leaves say what Datomic's datoms says, but for order among trees.
func TestRealIndex(t *testing.T) {
	b := readBackup(t, "alltypes")
	root, err := segment.ParseIndexRoot(b.raw(t, b.root(t, 5619).Index))
	require.NoError(t, err)
	current, history := lineCounts(t, "alltypes-2.eavt.gz"), lineCounts(t, "alltypes-2.heavt.gz")
	seen := 0
	for tier, want := range map[segment.Tier]map[string]int{segment.Main: current, segment.Hist: history} {
		id := root.Trees[segment.EAVT][tier]
		children, err := segment.ParseRootNode(b.raw(t, id))
		require.NoError(t, err)
		for _, c := range children {
			spans, err := segment.ParseDirNode(b.raw(t, c.ID))
			require.NoError(t, err)
			for _, s := range spans {
				leaf, err := segment.ParseLeaf(b.raw(t, s.ID))
				require.NoError(t, err)
				for i := range s.Count {
					line := datomLine(t, leaf.Datom(s.Offset+i))
					require.Positive(t, want[line], line)
					seen++
				}
			}
		}
	}
	require.Greater(t, seen, 36_000)
}

func lineCounts(t *testing.T, dump string) map[string]int {
	counts := map[string]int{}
	for lines := dumpLines(t, filepath.Join("expected", dump)); lines.Scan(); {
		counts[lines.Text()]++
	}
	require.NotEmpty(t, counts)
	return counts
}

// dumpLines returns the lines of what a JVM wrote of a database.
func dumpLines(t testing.TB, name string) *bufio.Scanner {
	f, err := os.Open(realdata.File(t, "pro", name))
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 64<<20)
	return lines
}

func datomLine(t testing.TB, d dclone.Datom) string {
	v, rest, err := fressian.Decode(d.V)
	require.NoError(t, err)
	require.Empty(t, rest)
	op := "-"
	if d.Added {
		op = "+"
	}
	return fmt.Sprintf("%d %d %s %d %s", d.E, d.A, dumped(v), d.Tx, op)
}

// dumped writes a value as the dumps do.
func dumped(v any) string {
	switch v := v.(type) {
	case nil:
		return "nil"
	case string:
		return "s" + quoted(v)
	case dclone.Keyword:
		return "k" + quoted(v.String()[1:])
	case dclone.Symbol:
		return "y" + quoted(v.String())
	case bool:
		return "b" + strconv.FormatBool(v)
	case int64:
		return "i" + strconv.FormatInt(v, 10)
	case dclone.Instant:
		return "t" + strconv.FormatInt(int64(v), 10)
	case dclone.URI:
		return "r" + quoted(string(v))
	case dclone.Decimal:
		return fmt.Sprintf("m%d/%d", v.Unscaled, v.Scale)
	case uuid.UUID:
		return "u" + v.String()
	case []byte:
		return fmt.Sprintf("x%x", v)
	case []any:
		return "[" + dumpedAll(v) + "]"
	case fressian.Tagged:
		return dumpedFunction(v)
	}
	return dumpedNumber(v)
}

func dumpedAll(items []any) string {
	var all []string
	for _, item := range items {
		all = append(all, dumped(item))
	}
	return strings.Join(all, " ")
}

// dumpedNumber writes the values that Go and Java print differently.
func dumpedNumber(v any) string {
	switch v := v.(type) {
	case *big.Int:
		return "n" + v.String()
	case float64:
		return fmt.Sprintf("d%016x", math.Float64bits(v))
	case float32:
		return fmt.Sprintf("f%08x", math.Float32bits(v))
	}
	return fmt.Sprintf("?%T", v)
}

// dumpedFunction writes a database function.
func dumpedFunction(v fressian.Tagged) string {
	of := map[string]any{}
	for _, e := range v.Fields[0].(fressian.Map) {
		of[e.Key.(dclone.Keyword).Name] = e.Value
	}
	text := "F" + quoted(of["lang"].(dclone.Keyword).String()) + quoted(of["code"].(string))
	for _, part := range []string{"params", "requires", "imports"} {
		var items []string
		list, _ := of[part].([]any)
		for _, item := range list {
			items = append(items, fmt.Sprint(item))
		}
		text += "[" + strings.Join(items, " ") + "]"
	}
	return text
}

// quoted writes a string as the dumps do: by UTF-16 unit.
func quoted(s string) string {
	b := []byte{'"'}
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		units := utf16.Encode([]rune{r})
		if r == utf8.RuneError && n == 1 { // a lone surrogate, three bytes
			units, n = []uint16{0xD000 | uint16(s[1]&0x3F)<<6 | uint16(s[2]&0x3F)}, 3
		}
		for _, unit := range units {
			switch {
			case unit == '"' || unit == '\\':
				b = append(b, '\\', byte(unit))
			case unit >= 32 && unit < 127:
				b = append(b, byte(unit))
			default:
				b = fmt.Appendf(b, "\\u%04x", unit)
			}
		}
		s = s[n:]
	}
	return string(append(b, '"'))
}
