package local

import (
	"context"
	"errors"

	"dclone/datomic/local"
)

// maxTail is how many datoms behind the index Datomic Local loads quickly. Beyond it, it would
// index anew by itself when it opens the clone.
const maxTail = 25_000

// BuildIndex writes the index files of the clone as it is; WriteRoot makes them count. Where it
// is not certain in which order Datomic Local has some value it writes none, and says why.
func (c *Clone) BuildIndex(ctx context.Context, opt local.IndexOptions) (why string, err error) {
	c.root, err = c.dir.BuildIndex(ctx, c.w.Log(), opt)
	var order *local.OrderError
	if errors.As(err, &order) {
		return order.Error(), nil
	}
	return "", err
}

// WriteRoot makes the index files count that BuildIndex wrote.
func (c *Clone) WriteRoot() error { return c.dir.WriteRoot(c.root) }

// IndexDue reports whether more datoms lie behind the index than Datomic Local loads quickly.
func (c *Clone) IndexDue() (bool, error) {
	t, ok, err := c.dir.IndexT()
	if err != nil {
		return false, err
	}
	if !ok {
		t = -1
	}
	l := c.w.Log()
	from, err := l.Find(t + 1)
	if err != nil {
		return false, err
	}
	s := l.Scan(from, l.End())
	for n := 0; s.Frame(); {
		if n += s.Count(); n > maxTail {
			return true, nil
		}
	}
	return false, s.Err()
}
