package edn

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzParse: whatever reads prints, and what is printed reads as the same.
func FuzzParse(f *testing.F) {
	if len(texts) == 0 || len(badTexts) == 0 {
		f.Fatal("no seeds")
	}
	for _, c := range texts {
		f.Add([]byte(c.text))
	}
	for _, c := range badTexts {
		if len(c.text) < 1000 {
			f.Add([]byte(c.text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := Parse(text)
		if err != nil {
			require.Nil(t, v)
			return
		}
		printed := Append(nil, v)
		again, err := Parse(printed)
		require.NoError(t, err, "%s", printed)
		require.Equal(t, dump(v), dump(again), "%s", printed)
		require.True(t, Equal(v, again), "%s", printed)
	})
}
