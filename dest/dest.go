// Package dest holds what the kinds of clone have in common. Its packages write one kind each.
package dest

import (
	"errors"
	"fmt"

	"dclone"
)

var (
	// ErrForeign says that a clone's place holds data of somebody else.
	ErrForeign = errors.New("it holds data that this clone did not put there")
	// ErrStale says that a clone is older than its sidecar, or another one altogether.
	ErrStale = errors.New("it is not the clone its sidecar describes")
)

// A DriftError says that somebody else wrote to a clone.
type DriftError struct {
	T     dclone.T // the first transaction that is not the clone's own
	Cause string
}

func (e *DriftError) Error() string {
	return fmt.Sprintf("the clone was written to by someone else, from t %d on: %s", e.T, e.Cause)
}
