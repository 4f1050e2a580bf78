package backup

import "sync"

// flights are the nodes that are being copied, so that two workers that come to one that several nodes
// name do not both copy it, nor write what is above it before it is there.
//
// A worker waits only for a node below the one it is at, for a node's place is part of the key; so
// workers never wait in a circle, whatever damaged nodes refer to.
type flights struct {
	mu      sync.Mutex
	flights map[flightKey]*flight
}

type flightKey struct {
	id string
	at place
}

type flight struct {
	over chan struct{} // closed when err is known
	err  error
}

func newFlights() *flights { return &flights{flights: map[flightKey]*flight{}} }

// do has the first worker that comes to a node copy it. Any other returns when the first is done, and
// fails as he does; first tells which it was.
func (f *flights) do(crew crew, n node, copy func() error) (first bool, err error) {
	key := flightKey{n.id, n.at}
	f.mu.Lock()
	if other := f.flights[key]; other != nil {
		f.mu.Unlock()
		crew.wait(func() { <-other.over })
		return false, other.err
	}
	mine := &flight{over: make(chan struct{})}
	f.flights[key] = mine
	f.mu.Unlock()

	mine.err = copy()
	f.mu.Lock()
	delete(f.flights, key)
	f.mu.Unlock()
	close(mine.over)
	return true, mine.err
}
