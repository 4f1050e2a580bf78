package segment_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"dclone"
	"dclone/datomic/segment"
	"dclone/datomic/segment/segmenttest"
	"dclone/fressian"

	"github.com/stretchr/testify/require"
)

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	require.NoError(t, err)
	return b
}

// exampleTail is the example of the package comment.
const exampleTail = "EE FE C0EA CAF7CDDC6964 C3D91001000000000000000000000000000000 CAF7CDDB74 681388 " +
	"CAF7CDDE64617461 E6 EFDF646174756D06 F5 03 CD681388 32 C87B6F5E66E800 83 " +
	"A0 F5 00 5048 0A CACDDC6D79CDDE6E616D65 83"

func exampleTx(t testing.TB) dclone.Tx {
	instant := segmenttest.Datom(t, dclone.TxID(5000), 50, dclone.Instant(1577836800000), true)
	ident := segmenttest.Datom(t, 72, 10, dclone.Kw("my", "name"), true)
	instant.Tx, ident.Tx = dclone.TxID(5000), dclone.TxID(5000)
	return dclone.Tx{T: 5000, Instant: 1577836800000, ID: [16]byte{1}, Datoms: []dclone.Datom{instant, ident}}
}

func TestExample(t *testing.T) {
	tail := unhex(t, exampleTail)
	require.Equal(t, []dclone.Tx{exampleTx(t)}, readTxs(t, tail, true))
	written, err := segment.AppendLogTail(nil, []dclone.Tx{exampleTx(t)})
	require.NoError(t, err)
	require.Equal(t, tail, written)
}

func TestTxReader(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"no list", "EE", "C0 EA", "code C0 where a list belongs"},
		{"no map", "C0EA", "E4", "code E4 where a map belongs"},
		{"no t", "CAF7CDDB74 681388", "CAF7CDDB75 681388", "a transaction with no t, or a wrong one"},
		{"a negative t", "681388 CA", "FF CA", "a transaction with no t, or a wrong one"},
		{"a string for t", "681388 CA", "DB61 CA", "code DB where an int belongs"},
		{"a datom of another t", "83 A0", "05 A0", "datom 0 of t 5000 belongs to t 5"},
		{"a partition too large", "F5 03", "F5 76 FFFFFFFF", "a datom with partition"},
		{"a negative eidx", "5048", "FF", "a datom with partition 0, eidx -1"},
		{"a negative attribute", "5048 0A", "5048 FF", "attribute -1"},
		{"another struct", "646174756D", "646174756E", `a struct "datun" of 6 fields where "datum" of 6 belongs`},
		{"five fields", "646174756D06", "646174756D05", `a struct "datum" of 5 fields where "datum" of 6 belongs`},
		{"an instant that is none", "C87B6F5E66E800", "05", "the instant of a transaction is none"},
		{"more datoms than there are", "64617461 E6", "64617461 EC 77FFFFFFFF", "list of 8589934591 elements"},
		{"a reset within a value", "CACDDC6D79CDDE6E616D65", "E5FE05", "caches emptied within a value"},
		{"an id of 15 bytes", "C3D91001", "C3D90F", "code C3 where a uuid belongs"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			require.Contains(t, exampleTail, test.old)
			r := segment.NewTxReader(unhex(t, strings.Replace(exampleTail, test.old, test.new, 1)), true)
			require.False(t, r.Next())
			require.ErrorContains(t, r.Err(), "read log tail at offset ")
			require.ErrorContains(t, r.Err(), test.want)
			require.False(t, r.Next(), "the error stays")
			require.ErrorContains(t, r.Err(), test.want)
		})
	}
}

func TestTxReaderForms(t *testing.T) {
	tx := strings.TrimPrefix(exampleTail, "EE ")
	later := strings.NewReplacer("681388", "681389").Replace(tx)
	reset := segment.NewTxReader(nil, true)
	for name, test := range map[string]struct {
		hex string
		n   int
	}{
		"an empty tail":              {"", 0},
		"a tail of nothing":          {"EE", 0},
		"two transactions":           {"EE" + tx + later, 2},
		"a closed tail":              {"EE" + tx + "FD", 1},
		"a leaf":                     {"ED" + tx + later + "FD", 2},
		"a list of known length":     {"E6" + tx + later, 2},
		"keys in another order":      {"EE FE C0E8 CAF7CDDE64617461 E4 CAF7CDDB74 681388", 1},
		"a key that is not known":    {"EE FE C0E8 CAF7CDDE64617462 E5 05 CAF7CDDB74 681388", 1},
		"a transaction of no datoms": {"EE FE C0E6 CAF7CDDB74 681388", 1},
	} {
		t.Run(name, func(t *testing.T) {
			raw := unhex(t, test.hex)
			reset.Reset(raw, true)
			n := 0
			for ; reset.Next(); n++ {
				require.Positive(t, reset.Offset())
			}
			require.NoError(t, reset.Err())
			require.Equal(t, test.n, n)
			require.Equal(t, len(raw), reset.Offset())
		})
	}
	backwards := segment.NewTxReader(unhex(t, "EE"+later+tx), true)
	require.True(t, backwards.Next())
	require.Equal(t, (len(unhex(t, "EE"+later))), backwards.Offset())
	require.False(t, backwards.Next())
	require.ErrorContains(t, backwards.Err(), "t 5000 follows t 5001")
	require.Error(t, segment.NewTxReader(nil, false).Err(), "a leaf is never empty")
}

// A value keeps its bits and stands alone, whatever of the caches it used.
func TestTxReaderValues(t *testing.T) {
	for _, test := range []struct{ name, stored, want string }{
		{"negative zero", "FA8000000000000000", "FA8000000000000000"},
		{"a NaN of its own", "FAFFF8000000000001", "FAFFF8000000000001"},
		{"a float", "F980000000", "F980000000"},
		{"a cached string", "CDDC6D79", "DC6D79"},
		{"a keyword of cached names", "CA8082", "CACDDC6964CDDE64617461"},
		{"a symbol", "C9F780", "C9F7CDDC6964"},
		{"a tuple", "E7FA8000000000000000F7CA8080", "E7FA8000000000000000F7CACDDC696480"},
		{"a function", "EFDB6601C0E6CAF78005", "EFDB6601C0E6CAF7CDDC696405"},
	} {
		t.Run(test.name, func(t *testing.T) {
			tail := strings.Replace(exampleTail, "CACDDC6D79CDDE6E616D65", test.stored, 1)
			txs := readTxs(t, unhex(t, tail), true)
			require.Equal(t, test.want, strings.ToUpper(hex.EncodeToString(txs[0].Datoms[1].V)))
		})
	}
}

func TestLogDir(t *testing.T) {
	const id = "00000000-0000-0000-0000-000000000001"
	for name, test := range map[string]struct {
		entries []segment.LogEntry
		want    string
	}{
		"none":       {nil, ""},
		"some":       {[]segment.LogEntry{{T: 0, ID: id}, {T: 5000, ID: id}}, ""},
		"one twice":  {[]segment.LogEntry{{T: 5, ID: id}, {T: 5, ID: id}}, "read log dir at offset 32: t 5 follows t 5"},
		"a t below":  {[]segment.LogEntry{{T: -1, ID: id}}, "entry 0 has t -1"},
		"a t beyond": {[]segment.LogEntry{{T: dclone.MaxEidx + 1, ID: id}}, "entry 0 has t 4398046511104"},
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := segment.AppendLogDir(nil, test.entries)
			require.NoError(t, err)
			got, err := segment.ParseLogDir(raw)
			if test.want != "" {
				require.ErrorContains(t, err, test.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, test.entries, got)
			kind, ids, err := segment.Children(raw)
			require.NoError(t, err)
			require.Equal(t, segment.KindLogDir, kind)
			require.Len(t, ids, min(len(test.entries), 1))
		})
	}
	_, err := segment.AppendLogDir(nil, []segment.LogEntry{{ID: "x"}})
	require.ErrorContains(t, err, `write log dir: id "x": `)
	_, err = segment.ParseLogDir(append(unhex(t, "E4"), 5))
	require.ErrorContains(t, err, "1 bytes behind the end")
}

func TestUnknownKinds(t *testing.T) {
	for _, test := range []struct {
		v    any
		want string
	}{
		{fressian.Tagged{Tag: "garbage-root", Fields: []any{int64(1)}}, `read segment at offset 0: kind "garbage-root" is not known`},
		{[]any{fressian.Tagged{Tag: "x"}}, `lists of "x" are of no known kind`},
		{"text", "it is neither map nor list nor struct"},
		{fressian.Map{{Key: dclone.Kw("", "tstamp"), Value: int64(1)}}, "it has no :eavt-main"},
	} {
		raw, err := fressian.Append(nil, test.v)
		require.NoError(t, err)
		_, _, err = segment.Children(raw)
		require.ErrorContains(t, err, test.want)
	}
	_, _, err := segment.Children(nil)
	require.Error(t, err)
}
