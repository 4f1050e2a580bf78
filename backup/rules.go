package backup

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dclone"
	"dclone/store"
)

// A RuleError says which of Datomic's rules forbids what was asked for, in Datomic's words.
type RuleError struct {
	Code  string // as :restore/collision
	Words string
	Err   error // what lies behind it, or nil
}

func (e *RuleError) Error() string { return e.Code + " " + e.Words }

func (e *RuleError) Unwrap() error { return e.Err }

// pick returns the restore point that is asked for. The error is a *RuleError where there is none; verb is
// "verify" or "restore".
func pick(ctx context.Context, b *store.Backup, opt Options, verb string) (dclone.T, error) {
	points, err := b.Points(ctx)
	switch {
	case err != nil:
		return 0, err
	case len(points) == 0:
		return 0, &RuleError{":restore/no-roots", "No restore points available at " + b.String(), store.ErrNoRoot}
	case opt.point() == store.Newest:
		return points[0], nil
	case slices.Contains(points, opt.point()):
		return opt.point(), nil
	}
	var s []string
	for _, p := range points[:min(len(points), manyPoints)] {
		s = append(s, strconv.FormatInt(int64(p), 10))
	}
	return opt.point(), &RuleError{":" + verb + "/roots-missing",
		fmt.Sprintf("No database root for t %d; of %d restore points, the newest are %s", opt.point(), len(points), strings.Join(s, ", ")),
		store.ErrNoRoot}
}

// manyPoints is how many restore points an error tells.
const manyPoints = 10
