package local

import (
	"context"

	"dclone/datomic/local"
)

// maxTail is how many datoms behind the index Datomic Local loads quickly. Beyond it, it would
// index anew by itself when it opens the clone.
const maxTail = 25_000

// BuildIndex writes index files, which do not count before WriteRoot. Where it is not certain how Datomic Local orders
// the values of an attribute the error wraps a *local.OrderError: the clone is better left without.
func (c *Clone) BuildIndex(ctx context.Context, opt local.IndexOptions) (err error) {
	c.root, err = c.dir.BuildIndex(ctx, c.w.Log(), opt)
	return err
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
