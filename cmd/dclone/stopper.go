package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
)

// A stopper turns signals into the ways a run can end. The first lets it finish its group, or cancels
// what it is doing where that is not in groups; the second cancels; the third ends the process.
// Nothing is lost by any of them.
type stopper struct {
	asked   atomic.Bool
	grouped atomic.Bool // the run is at a stage that asks Stop after every group
	cancel  context.CancelFunc
	signals chan os.Signal
	stop    chan struct{} // closed at the first signal
	done    sync.WaitGroup
}

// stopOnSignal returns a stopper and the context it cancels. said is called at the first signal.
func stopOnSignal(said func()) (*stopper, context.Context) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &stopper{cancel: cancel, signals: make(chan os.Signal, 3), stop: make(chan struct{})}
	signal.Notify(s.signals, syscall.SIGINT, syscall.SIGTERM)
	s.done.Go(func() {
		for n := 1; ; n++ {
			if _, open := <-s.signals; !open {
				return
			}
			switch n {
			case 1:
				said()
				close(s.stop)
				s.asked.Store(true)
				if !s.grouped.Load() {
					cancel()
				}
			case 2:
				cancel()
			default:
				os.Exit(codeInterrupted)
			}
		}
	})
	return s, ctx
}

// enter tells s what kind of stage the run is at.
func (s *stopper) enter(grouped bool) {
	s.grouped.Store(grouped)
	if !grouped && s.asked.Load() {
		s.cancel()
	}
}

// close gives the signals back.
func (s *stopper) close() {
	signal.Stop(s.signals)
	close(s.signals)
	s.done.Wait()
	s.cancel()
}
