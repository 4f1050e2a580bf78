package segment

import (
	"errors"
	"fmt"

	"dclone/fressian"
)

// A DamageError says where the bytes of a segment are not what they should be.
type DamageError struct {
	Kind   string // what it was read as, a Kind mostly
	Offset int    // bytes from its start: of the unpacked segment but where Kind is that of Packed
	Err    error
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("read %s at offset %d: %v", e.Kind, e.Offset, e.Err)
}

func (e *DamageError) Unwrap() error { return e.Err }

// damage makes err a DamageError, if it is an error and none already.
func damage(kind Kind, err error) error {
	var known *DamageError
	var cause *fressian.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.As(err, &cause):
		return &DamageError{kind.String(), cause.Offset, causeOf(cause)}
	}
	return &DamageError{kind.String(), 0, err}
}

// causeOf returns what cause says but the offset, which a DamageError says itself.
func causeOf(cause *fressian.Error) error {
	if cause.Short {
		return fmt.Errorf("%s: %w", cause.Cause, cause.Unwrap())
	}
	return errors.New(cause.Cause)
}
