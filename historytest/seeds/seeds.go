// Package seeds answers the seeds a random test is to try.
//
// A test that fails prints its seed. DCLONE_SEED=n in the environment makes [Of] answer that one
// alone; DCLONE_SEEDS=n makes it answer n of them, to look further than every test run does.
package seeds

import (
	"os"
	"strconv"
	"testing"
)

// Of returns n seeds, or what the environment asks for.
func Of(t testing.TB, n int) []uint64 {
	t.Helper()
	if s := os.Getenv("DCLONE_SEED"); s != "" {
		return []uint64{number(t, s)}
	}
	if s := os.Getenv("DCLONE_SEEDS"); s != "" {
		n = int(number(t, s))
	}
	if n <= 0 {
		t.Fatal("no seeds: nothing would be tested")
	}
	seeds := make([]uint64, n)
	for i := range seeds {
		seeds[i] = uint64(i) + 1
	}
	return seeds
}

func number(t testing.TB, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("read seed: %v", err)
	}
	return n
}
