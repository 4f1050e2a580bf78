package edn

import (
	"fmt"
	"math"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"

	"dclone"

	"github.com/stretchr/testify/require"
)

// TestJVM compares with what Clojure and Java made of the same numbers and instants.
// testdata/Vectors.java recorded it.
func TestJVM(t *testing.T) {
	recorded, err := os.ReadFile("testdata/jvm.txt")
	require.NoError(t, err)
	counts := map[string]int{}
	for line := range strings.Lines(string(recorded)) {
		parts := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		require.Len(t, parts, 3, line)
		kind, value, text := parts[0], parts[1], parts[2]
		counts[kind]++
		switch kind {
		case "inst", "double", "float", "decimal":
			require.Equal(t, text, string(Append(nil, jvmValue(t, kind, value))), line)
		case "inst-read":
			checkRead(t, `#inst "`+text+`"`, value)
		case "decimal-read":
			checkRead(t, text, value)
		}
	}
	for _, kind := range []string{"inst", "inst-read", "double", "float", "decimal", "decimal-read"} {
		require.NotZero(t, counts[kind], kind)
	}
}

func jvmValue(t *testing.T, kind, value string) any {
	switch kind {
	case "inst":
		ms, err := strconv.ParseInt(value, 10, 64)
		require.NoError(t, err)
		return dclone.Instant(ms)
	case "double":
		bits, err := strconv.ParseUint(value, 16, 64)
		require.NoError(t, err)
		return math.Float64frombits(bits)
	case "float":
		bits, err := strconv.ParseUint(value, 16, 32)
		require.NoError(t, err)
		return math.Float32frombits(uint32(bits))
	}
	d := dclone.Decimal{Unscaled: new(big.Int)}
	_, err := fmt.Sscan(value, d.Unscaled, &d.Scale)
	require.NoError(t, err)
	return d
}

func checkRead(t *testing.T, text, want string) {
	v, err := Parse([]byte(text))
	if want == "error" {
		require.Error(t, err, text)
		return
	}
	require.NoError(t, err, text)
	switch v := v.(type) {
	case dclone.Instant:
		require.Equal(t, want, strconv.FormatInt(int64(v), 10), text)
	case dclone.Decimal:
		require.Equal(t, want, fmt.Sprint(v.Unscaled, v.Scale), text)
	default:
		t.Fatalf("%s reads as a %T", text, v)
	}
}
