package fressian

import (
	"fmt"
	"io"
)

// An Error says where and why input is not fressian.
type Error struct {
	Offset int // of the code that could not be read
	Cause  string
	Short  bool // the input ends before the value does
}

func (e *Error) Error() string {
	return fmt.Sprintf("read fressian at offset %d: %s", e.Offset, e.Cause)
}

// Unwrap returns [io.ErrUnexpectedEOF] where the input is short, so that a reader of a growing
// file can tell a torn value from a wrong one.
func (e *Error) Unwrap() error {
	if e.Short {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func short(offset int, format string, args ...any) error {
	return &Error{Offset: offset, Cause: fmt.Sprintf(format, args...), Short: true}
}

func bad(offset int, format string, args ...any) error {
	return &Error{Offset: offset, Cause: fmt.Sprintf(format, args...)}
}
