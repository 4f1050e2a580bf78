package interop_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/interop"
	"dclone/session"
	"dclone/verify"
)

// TestCloneRandom clones random histories: first copies at several places, and catch-ups of several lengths.
func TestCloneRandom(t *testing.T) {
	jvm := interop.Start(t)
	jvm.Load(t, "random")
	seeds := []int64{1, 2, 3, 4}
	if testing.Short() {
		seeds = seeds[:1]
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			p := newClonePair(t, jvm)
			p.create(t, `(random/schema! c)`)
			early, late := p.to("early", session.Options{MaxBatchSize: 10}), p.to("late", session.Options{})
			var src *sourceView
			for part, txs := range []int64{3, 60, 1, 90} {
				p.grow(t, fmt.Sprintf(`(random/txs! c %d %d)`, 10*seed+int64(part), txs))
				src = newSourceView(jvm.Dump(t, p.storage, cloneSystem, p.source))
				early.must(t)
				early.compareDatoms(t, src, fmt.Sprint("early, part ", part))
				if part > 0 {
					late.must(t)
					late.compareDatoms(t, src, fmt.Sprint("late, part ", part))
				}
			}
			early.compareAllTimes(t, src)
			early.compareTo(t, src, "early")
			late.compareTo(t, src, "late")
			for _, c := range []clonePair{early, late} {
				report := c.verified(t)
				require.Equal(t, verify.OK, report.Status, "%v", report.Differences)
			}
		})
	}
}
