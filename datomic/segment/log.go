package segment

import (
	"fmt"

	"dclone"
)

// A LogEntry is a node below a log root or dir. T is that of the first transaction below it.
type LogEntry struct {
	T  dclone.T
	ID ID
}

// ParseLogDir reads the root of the log, or a dir, which look alike.
func ParseLogDir(raw []byte) ([]LogEntry, error) {
	r := newReader(KindLogDir, raw)
	var entries []LogEntry
	items := r.w.Items()
	for r.w.More(&items) {
		r.head(tagLogDir, 2)
		at := r.w.Offset()
		e := LogEntry{dclone.T(r.w.Int()), r.id()}
		switch n := len(entries); {
		case e.T < 0 || e.T > dclone.MaxEidx:
			r.fail(at, fmt.Errorf("entry %d has t %d", n, e.T))
		case n > 0 && e.T <= entries[n-1].T:
			r.fail(at, fmt.Errorf("t %d follows t %d", e.T, entries[n-1].T))
		}
		if !r.ok() {
			break
		}
		entries = append(entries, e)
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	return entries, nil
}
