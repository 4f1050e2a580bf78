package fressian_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"dclone/fressian"

	"github.com/stretchr/testify/require"
)

// A vector is bytes that org.fressian wrote, read or refused; see testdata/record.clj.
type vector struct {
	name  string // file:line
	kind  string // bytes, reads or refuses
	value string // in notation
	bytes []byte
}

// vectors reads all vectors of the given kinds.
func vectors(t testing.TB, kinds ...string) (found []vector) {
	files, err := filepath.Glob("testdata/vectors/*.txt")
	require.NoError(t, err)
	for _, file := range files {
		for _, v := range parseVectors(t, file) {
			for _, kind := range kinds {
				if v.kind == kind {
					found = append(found, v)
				}
			}
		}
	}
	if len(found) == 0 {
		t.Fatalf("no vectors of %v in testdata/vectors", kinds)
	}
	return found
}

func parseVectors(t testing.TB, file string) (found []vector) {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var value string
	for i, line := range strings.Split(string(text), "\n") {
		key, rest, _ := strings.Cut(line, ": ")
		switch key {
		case "value":
			value = rest
		case "bytes", "reads", "refuses":
			name := fmt.Sprintf("%s:%d", filepath.Base(file), i+1)
			found = append(found, vector{name, key, value, parseHex(rest)})
		case "how", "library", "error", "":
		default:
			require.Fail(t, "no such key", "%s:%d: %s", file, i+1, key)
		}
	}
	return found
}

// parseHex reads hex in which (3*AB) is ABABAB.
func parseHex(s string) (b []byte) {
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == '(' || r == ')' }) {
		digits, times := part, 1
		if count, repeated, ok := strings.Cut(part, "*"); ok {
			digits, times = repeated, must(strconv.Atoi(count))
		}
		b = append(b, bytes.Repeat(must(hex.DecodeString(digits)), times)...)
	}
	return b
}

// values returns what forms stand for when they are read back.
func values(forms []any) (values []any) {
	lists := [][]any{{}}
	last := func() *[]any { return &lists[len(lists)-1] }
	end := func() {
		list := *last()
		lists = lists[:len(lists)-1]
		*last() = append(*last(), list)
	}
	for _, form := range forms {
		switch form {
		case op("!begin"), op("!open"):
			lists = append(lists, []any{})
		case op("!end"):
			end()
		case op("!reset"), op("!footer"):
		default:
			*last() = append(*last(), form)
		}
	}
	for len(lists) > 1 { // the end of the input ends open lists
		end()
	}
	return lists[0]
}

// write does what forms say.
func write(e *fressian.Encoder, forms []any) error {
	for _, form := range forms {
		var err error
		switch form {
		case op("!begin"):
			err = e.BeginList()
		case op("!open"):
			err = e.BeginOpenList()
		case op("!end"):
			err = e.EndList()
		case op("!reset"):
			e.ResetCaches()
		case op("!footer"):
			e.Footer()
		default:
			err = e.Encode(form)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readAll decodes b to its end.
func readAll(b []byte) (values []any, err error) {
	d := fressian.NewDecoder(b)
	for values = []any{}; ; {
		v, err := d.Decode()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return values, err
		}
		values = append(values, v)
	}
}

func TestEncoderVectors(t *testing.T) {
	for _, v := range vectors(t, "bytes") {
		e := fressian.NewEncoder([]byte("before"))
		require.NoError(t, write(e, parseForms(v.value, false)), v.name)
		requireBytes(t, v.bytes, e.Bytes()[len("before"):], v.name)
	}
}

func TestAppendVectors(t *testing.T) {
	for _, v := range vectors(t, "bytes") {
		forms := parseForms(v.value, false)
		if _, isOp := forms[0].(op); len(forms) > 1 || isOp {
			continue
		}
		b, err := fressian.Append([]byte("before"), forms[0])
		require.NoError(t, err, v.name)
		requireBytes(t, v.bytes, b[len("before"):], v.name)
	}
}

func TestDecoderVectors(t *testing.T) {
	for _, v := range vectors(t, "bytes", "reads") {
		got, err := readAll(v.bytes)
		require.NoError(t, err, v.name)
		requireSame(t, values(parseForms(v.value, true)), got, v.name)
	}
}

func TestSkipVectors(t *testing.T) {
	for _, v := range vectors(t, "bytes", "reads") {
		_, rest, err := fressian.Decode(v.bytes)
		if err != nil {
			continue // only footers
		}
		n, err := fressian.Skip(v.bytes)
		require.NoError(t, err, v.name)
		require.Equal(t, len(v.bytes)-len(rest), n, v.name)
	}
}

func TestRefusedVectors(t *testing.T) {
	for _, v := range vectors(t, "refuses") {
		got, err := readAll(v.bytes)
		require.Error(t, err, "%s: %v", v.name, got)
		var readError *fressian.Error
		require.ErrorAs(t, err, &readError, v.name)
		require.LessOrEqual(t, readError.Offset, len(v.bytes), v.name)
	}
}

// Whatever a vector is cut to, it is a shorter stream of values or it is short. An open list (EE)
// ends where its bytes do, and so may be whole and wrong.
func TestTruncatedVectors(t *testing.T) {
	for _, v := range vectors(t, "bytes", "reads") {
		if len(v.bytes) > 1000 || bytes.IndexByte(v.bytes, 0xEE) >= 0 {
			continue
		}
		for n := range v.bytes {
			if _, err := readAll(v.bytes[:n]); err != nil {
				require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%s cut to %d", v.name, n)
			}
		}
	}
}
