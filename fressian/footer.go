package fressian

import (
	"encoding/binary"
	"hash/adler32"
)

// CheckFooter reports whether b ends with a footer for all that is before it, and checks it where
// there is one.
func CheckFooter(b []byte) (found bool, err error) {
	off := len(b) - footerSize
	if off < 0 || binary.BigEndian.Uint32(b[off:]) != footerMagic {
		return false, nil
	}
	return true, checkFooter(b, 0, off)
}

// checkFooter checks the footer at off in b, which covers the bytes from base.
func checkFooter(b []byte, base, off int) error {
	foot := b[off:]
	if len(foot) < footerSize {
		return short(off, "footer of %d bytes, %d left", footerSize, len(foot))
	}
	if magic := binary.BigEndian.Uint32(foot); magic != footerMagic {
		return bad(off, "footer begins %08X", magic)
	}
	if n, want := off-base, binary.BigEndian.Uint32(foot[4:]); uint32(n) != want {
		return bad(off, "footer after %d bytes is for %d", n, want)
	}
	if sum, want := adler32.Checksum(b[base:off+8]), binary.BigEndian.Uint32(foot[8:]); sum != want {
		return bad(off, "footer with checksum %08X over bytes with %08X", want, sum)
	}
	return nil
}
