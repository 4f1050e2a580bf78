package fressian_test

import (
	"bytes"
	"math/big"
	"reflect"
	"testing"

	"dclone"
	"dclone/fressian"

	"github.com/stretchr/testify/require"
)

// requireSame fails where same does not hold. What it prints is short enough to read.
func requireSame(t testing.TB, want, got any, name string) {
	t.Helper()
	if !same(want, got) {
		require.Fail(t, "values differ", "%s\nwant %.2000v\ngot  %.2000v", name, want, got)
	}
}

func requireBytes(t testing.TB, want, got []byte, name string) {
	t.Helper()
	if !bytes.Equal(want, got) {
		require.Fail(t, "bytes differ", "%s\nwant %.2000X\ngot  %.2000X", name, want, got)
	}
}

// same compares values as fressian keeps them: all NaNs are one, and so are the zeros of a double.
func same(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && sameFloat(a, b)
	case float32:
		b, ok := b.(float32)
		return ok && sameFloat(a, b) && (a != 0 || 1/a == 1/b)
	case []float64:
		b, ok := b.([]float64)
		return ok && sameSlice(a, b, sameFloat)
	case []float32:
		b, ok := b.([]float32)
		return ok && sameSlice(a, b, sameFloat)
	case []any:
		b, ok := b.([]any)
		return ok && sameSlice(a, b, same)
	case fressian.Set:
		b, ok := b.(fressian.Set)
		return ok && sameSlice(a, b, same)
	case fressian.Objects:
		b, ok := b.(fressian.Objects)
		return ok && sameSlice(a, b, same)
	case fressian.Map:
		b, ok := b.(fressian.Map)
		return ok && sameSlice(a, b, func(a, b fressian.Entry) bool { return same(a.Key, b.Key) && same(a.Value, b.Value) })
	case fressian.Tagged:
		b, ok := b.(fressian.Tagged)
		return ok && a.Tag == b.Tag && sameSlice(a.Fields, b.Fields, same)
	case *big.Int:
		b, ok := b.(*big.Int)
		return ok && a.Cmp(b) == 0
	case dclone.Decimal:
		b, ok := b.(dclone.Decimal)
		return ok && a.Unscaled.Cmp(b.Unscaled) == 0 && a.Scale == b.Scale
	}
	return reflect.DeepEqual(a, b)
}

func sameFloat[T float32 | float64](a, b T) bool { return a == b || a != a && b != b }

func sameSlice[T any](a, b []T, same func(a, b T) bool) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !same(a[i], b[i]) {
			return false
		}
	}
	return true
}
