package segment

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
)

// ID names a segment: a lower-case uuid, or one with a number behind it for a piece of a file.
type ID = string

// MaxSize bounds the bytes of one unpacked segment. Datomic's have about 50,000; a transaction goes
// in one as a whole.
const MaxSize = 1 << 30

const (
	gzipMagic = "\x1f\x8b"
	maxRatio  = 1032 // deflate packs no better
)

// An unpacker is kept, for it is dear to make.
type unpacker struct {
	from bytes.Reader
	zip  gzip.Reader
}

var unpackers = sync.Pool{New: func() any { return new(unpacker) }}

// Unpack appends to dst what stored, a segment as it is stored, unpacks to; what is not gzip is
// appended as it is. A result of more than limit bytes is an error, and so is anything behind the
// gzip stream, another one too.
func Unpack(dst, stored []byte, limit int) ([]byte, error) {
	if !bytes.HasPrefix(stored, []byte(gzipMagic)) {
		if len(stored) > limit {
			return dst, &DamageError{Packed.String(), 0, fmt.Errorf("it has %d bytes, more than %d", len(stored), limit)}
		}
		return append(dst, stored...), nil
	}
	u := unpackers.Get().(*unpacker)
	defer unpackers.Put(u)
	u.from.Reset(stored)
	whole, err := u.unpack(dst, stored, limit)
	at := len(stored) - u.from.Len()
	u.from.Reset(nil)
	if err != nil {
		return dst, &DamageError{Packed.String(), at, err}
	}
	return whole, nil
}

func (u *unpacker) unpack(dst, stored []byte, limit int) ([]byte, error) {
	if err := u.zip.Reset(&u.from); err != nil {
		return nil, unexpected(err)
	}
	u.zip.Multistream(false)
	limit = max(limit, 0)
	start := len(dst)
	// The last bytes say how many there will be, if they can be believed; one more meets the end.
	said := int(binary.LittleEndian.Uint32(stored[len(stored)-4:]))
	dst = slices.Grow(dst, min(said, limit, maxRatio*len(stored))+1)
	for {
		n, err := u.zip.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst)-start > limit:
			return nil, fmt.Errorf("it unpacks to more than %d bytes", limit)
		case err == nil:
			dst = slices.Grow(dst, 1)
		case !errors.Is(err, io.EOF):
			return nil, unexpected(err)
		case u.from.Len() > 0:
			return nil, fmt.Errorf("%d bytes behind the end", u.from.Len())
		default:
			return dst, nil
		}
	}
}

// unexpected keeps the end of the input from looking like the end of what it holds.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

var packers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// Pack appends raw as it is stored: gzip.
func Pack(dst, raw []byte) []byte {
	z := packers.Get().(*gzip.Writer)
	defer packers.Put(z)
	b := bytes.NewBuffer(dst)
	z.Reset(b)
	_, _ = z.Write(raw) // a Buffer takes all
	_ = z.Close()
	return b.Bytes()
}
