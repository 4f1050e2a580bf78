package fressian

import "dclone"

// IsNil reports whether b is nil, and nothing else.
func IsNil(b []byte) bool { return len(b) == 1 && b[0] == codeNull }

// Instant returns the instant that b is, where it is one and no more, and uses no caches.
func Instant(b []byte) (v dclone.Instant, ok bool) {
	if len(b) < 2 || b[0] != codeInst {
		return 0, false
	}
	ms, n, ok := Int(b[1:])
	return dclone.Instant(ms), ok && 1+n == len(b)
}
