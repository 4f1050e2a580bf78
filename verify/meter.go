package verify

import "sync"

// A meter tells whoever wants to know how far a run is.
type meter struct {
	report func(Progress)
	mu     sync.Mutex
	now    Progress
	told   int64
}

func (m *meter) begin(s Stage, all int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now, m.told = Progress{Stage: s, All: all}, 0
	m.tell()
}

// add adds to what is done, and tells about every hundredth part of all.
func (m *meter) add(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now.Done += n
	if m.now.Done == m.now.All || m.now.Done-m.told > m.now.All/100 {
		m.tell()
	}
}

func (m *meter) tell() {
	m.told = m.now.Done
	if m.report != nil {
		m.report(m.now)
	}
}
