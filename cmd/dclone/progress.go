package main

import (
	"fmt"
	"time"

	"dclone/session"
	"dclone/state"
)

// The stages of a run, as progress and status name them.
const (
	stageStarting  = "starting"
	stageReading   = "reading"
	stageLoading   = "loading"
	stageIndexing  = "indexing"
	stageReplaying = "replaying"
)

// stageOf says what a run that reports p is doing.
func stageOf(p session.Progress) string {
	switch {
	case p.Phase == state.Loading && p.All == 0:
		return stageReading
	case p.Phase == state.Loading:
		return stageLoading
	case p.All == 0:
		return stageIndexing
	}
	return stageReplaying
}

// A pace is how a stage goes.
type pace struct {
	stage string
	began time.Time
	from  int64 // done when it began
	done  int64
	all   int64
}

// update takes in what is done now, and reports whether that is another stage.
func (p *pace) update(stage string, done, all int64, now time.Time) bool {
	changed := p.stage != stage
	if changed {
		*p = pace{stage: stage, began: now, from: done}
	}
	p.done, p.all = done, all
	return changed
}

// rate returns how much is done in a second.
func (p *pace) rate(now time.Time) float64 {
	if s := now.Sub(p.began).Seconds(); s > 0.05 {
		return float64(p.done-p.from) / s
	}
	return 0
}

// eta returns how long the stage will take yet, where that can be told.
func (p *pace) eta(now time.Time) (time.Duration, bool) {
	rate := p.rate(now)
	if rate <= 0 || p.all < p.done {
		return 0, false
	}
	return time.Duration(float64(p.all-p.done) / rate * float64(time.Second)), true
}

func (p *pace) percent() float64 {
	if p.all <= 0 {
		return 0
	}
	return min(100, 100*float64(p.done)/float64(p.all))
}

// line writes the pace for people.
func (p *pace) line(now time.Time) string {
	if p.all == 0 {
		return fmt.Sprintf("%s %s", p.stage, brief(now.Sub(p.began)))
	}
	unit := "datoms"
	if p.stage == stageReplaying {
		unit = "transactions"
	}
	text := fmt.Sprintf("%s %.1f %%  %d of %d %s  %.0f/s", p.stage, p.percent(), p.done, p.all, unit, p.rate(now))
	if eta, ok := p.eta(now); ok {
		text += "  ETA " + brief(eta)
	}
	return text
}

// brief writes a duration as precisely as people care.
func brief(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
