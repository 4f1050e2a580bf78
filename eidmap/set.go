package eidmap

import (
	"math/bits"
	"slices"
	"sort"

	"dclone"
)

const (
	chunkBits = 16
	chunkSize = 1 << chunkBits
	maxArray  = chunkSize / 16 // ids: a longer array is larger than a bitmap
)

// A Set is a set of entity ids: one bit an id where they are dense, two bytes where they are
// not. Its zero value is empty. Many goroutines may read it while none changes it.
type Set struct {
	chunks map[int64]*chunk
	keys   []int64 // sorted; nil after a change
	last   *chunk
	lastAt int64
}

// A chunk holds the low bits of the ids that share their high ones.
type chunk struct {
	array  []uint16 // sorted; nil where bits is not
	bits   *[chunkSize / 64]uint64
	ranks  *[chunkSize / 512]uint16 // ids before each 512 bits, once frozen
	before int64                    // ids in the chunks before this one, once frozen
}

// Add adds id. Ids that come in ascending order are added fastest.
func (s *Set) Add(id dclone.EntityID) {
	k := int64(id) >> chunkBits
	if s.last == nil || s.lastAt != k {
		if s.chunks == nil {
			s.chunks = map[int64]*chunk{}
		}
		c := s.chunks[k]
		if c == nil {
			c = new(chunk)
			s.chunks[k] = c
			s.keys = nil
		}
		s.last, s.lastAt = c, k
	}
	s.last.add(uint16(id))
}

func (c *chunk) add(low uint16) {
	if c.bits != nil {
		c.bits[low>>6] |= 1 << (low & 63)
		return
	}
	n := len(c.array)
	if n == 0 || c.array[n-1] < low {
		c.array = append(c.array, low)
	} else {
		i, found := slices.BinarySearch(c.array, low)
		if found {
			return
		}
		c.array = slices.Insert(c.array, i, low)
	}
	if len(c.array) > maxArray {
		c.bits = new([chunkSize / 64]uint64)
		for _, l := range c.array {
			c.bits[l>>6] |= 1 << (l & 63)
		}
		c.array = nil
	}
}

// Merge adds all ids of t.
func (s *Set) Merge(t *Set) {
	for id := range t.All() {
		s.Add(id)
	}
}

// Has reports whether id is in the set.
func (s *Set) Has(id dclone.EntityID) bool {
	c := s.chunks[int64(id)>>chunkBits]
	return c != nil && c.has(uint16(id))
}

func (c *chunk) has(low uint16) bool {
	if c.bits != nil {
		return c.bits[low>>6]>>(low&63)&1 == 1
	}
	_, found := slices.BinarySearch(c.array, low)
	return found
}

// freeze prepares the set for Rank. It returns the number of ids.
func (s *Set) freeze() int64 {
	n := int64(0)
	for _, k := range s.sortedKeys() {
		c := s.chunks[k]
		c.before = n
		if c.bits == nil {
			n += int64(len(c.array))
			continue
		}
		c.ranks = new([chunkSize / 512]uint16)
		inside := 0
		for i, w := range c.bits {
			if i%8 == 0 {
				c.ranks[i/8] = uint16(inside)
			}
			inside += bits.OnesCount64(w)
		}
		n += int64(inside)
	}
	return n
}

// rank returns how many ids of the frozen set are smaller than id, which is false where id is
// not in it.
func (s *Set) rank(id dclone.EntityID) (int64, bool) {
	c := s.chunks[int64(id)>>chunkBits]
	if c == nil {
		return 0, false
	}
	low := uint16(id)
	if c.bits == nil {
		i, found := slices.BinarySearch(c.array, low)
		return c.before + int64(i), found
	}
	if c.bits[low>>6]>>(low&63)&1 == 0 {
		return 0, false
	}
	n := int(c.ranks[low>>9])
	for i := low >> 9 << 3; i < low>>6; i++ {
		n += bits.OnesCount64(c.bits[i])
	}
	n += bits.OnesCount64(c.bits[low>>6] & (1<<(low&63) - 1))
	return c.before + int64(n), true
}

func (s *Set) sortedKeys() []int64 {
	if s.keys == nil {
		for k := range s.chunks {
			s.keys = append(s.keys, k)
		}
		sort.Slice(s.keys, func(i, j int) bool { return s.keys[i] < s.keys[j] })
	}
	return s.keys
}

// Len returns the number of ids.
func (s *Set) Len() int64 {
	n := int64(0)
	for _, c := range s.chunks {
		n += c.len()
	}
	return n
}

func (c *chunk) len() int64 {
	n := int64(len(c.array))
	if c.bits != nil {
		for _, w := range c.bits {
			n += int64(bits.OnesCount64(w))
		}
	}
	return n
}

// All yields the ids in ascending order.
func (s *Set) All() func(yield func(dclone.EntityID) bool) {
	return func(yield func(dclone.EntityID) bool) {
		for _, k := range s.sortedKeys() {
			for low := range s.chunks[k].all() {
				if !yield(dclone.EntityID(k<<chunkBits | int64(low))) {
					return
				}
			}
		}
	}
}

func (c *chunk) all() func(yield func(uint16) bool) {
	return func(yield func(uint16) bool) {
		for _, low := range c.array {
			if !yield(low) {
				return
			}
		}
		if c.bits == nil {
			return
		}
		for i, w := range c.bits {
			for ; w != 0; w &= w - 1 {
				if !yield(uint16(i<<6 | bits.TrailingZeros64(w))) {
					return
				}
			}
		}
	}
}
