package backup

import "sync"

// A tally counts what workers do, and tells of it.
type tally struct {
	mu       sync.Mutex
	report   Report
	progress func(Report)
}

func (t *tally) add(f func(*Report)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f(&t.report)
	if t.progress != nil {
		r := t.report
		r.Missing, r.Unreadable = nil, nil
		t.progress(r)
	}
}

func (t *tally) skipped() { t.add(func(r *Report) { r.Skipped++ }) }

func (t *tally) copied(bytes int) {
	t.add(func(r *Report) {
		r.Copied++
		r.Bytes += int64(bytes)
	})
}
