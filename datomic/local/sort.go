package local

import (
	"cmp"
	"math/bits"
	"slices"
)

const (
	radixBits   = 11
	radixDigits = 1 << radixBits

	// fewRecords is where counting digits begins to pay.
	fewRecords = 256
)

// sortRecords sorts r by E as an unsigned number, keeping the order of equal ones. scratch must
// be as long as r.
//
// It is a radix sort from the least digit up, over windows of bits of which at least one varies:
// entity ids that were allocated together have most bits in common.
func sortRecords(r, scratch []Record) {
	vary, sorted := varyingBits(r)
	if sorted {
		return
	}
	if len(r) < fewRecords {
		slices.SortStableFunc(r, func(x, y Record) int { return cmp.Compare(uint64(x.E), uint64(y.E)) })
		return
	}
	from, to := r, scratch[:len(r)]
	for vary != 0 {
		shift := bits.TrailingZeros64(vary)
		vary &^= (radixDigits - 1) << shift
		sortDigit(from, to, shift)
		from, to = to, from
	}
	if &from[0] != &r[0] {
		copy(r, from)
	}
}

// varyingBits returns the bits in which the E of r differ, and whether r is sorted already.
func varyingBits(r []Record) (vary uint64, sorted bool) {
	sorted = true
	for i := 1; i < len(r); i++ {
		vary |= uint64(r[i].E ^ r[i-1].E)
		if uint64(r[i].E) < uint64(r[i-1].E) {
			sorted = false
		}
	}
	return vary, sorted
}

// sortDigit sends from to to in the order of one digit.
func sortDigit(from, to []Record, shift int) {
	var next [radixDigits]uint32
	for i := range from {
		next[uint64(from[i].E)>>shift&(radixDigits-1)]++
	}
	sum := uint32(0)
	for d, n := range next {
		next[d] = sum
		sum += n
	}
	for i := range from {
		d := uint64(from[i].E) >> shift & (radixDigits - 1)
		to[next[d]] = from[i]
		next[d]++
	}
}
