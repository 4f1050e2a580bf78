//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A cost is what one run of a process took.
type cost struct {
	wall, cpu time.Duration
	peak      int64 // KiB
	children  int64 // KiB, where the row asks for it
	out       string
}

// run measures one process. What it prints is shown only where it fails.
func run(name string, args ...string) (cost, error) {
	var out bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	return measured(cmd, &out, nil)
}

// runSilent is run for processes that print too much to keep it: their output goes to /dev/null.
func runSilent(name string, args ...string) (cost, error) {
	var out bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stderr = &out
	return measured(cmd, &out, nil)
}

// measured runs cmd. Where during is not nil it is called when the process has begun.
func measured(cmd *exec.Cmd, out *bytes.Buffer, during func(pid int)) (cost, error) {
	began := time.Now()
	err := cmd.Start()
	if err == nil {
		if during != nil {
			during(cmd.Process.Pid)
		}
		err = cmd.Wait()
	}
	c := cost{wall: time.Since(began), out: out.String()}
	if err != nil {
		return c, fmt.Errorf("run %v: %w\n%s", cmd.Args, err, out.Bytes())
	}
	c.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	c.peak = int64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	return c, nil
}

// A row is one thing that is measured, several times.
type row struct {
	name    string
	prepare func() error // before each run, not measured
	command []string
	once    bool // whatever the number of runs
	silent  bool // what it prints is not kept
	family  bool // the JVMs it starts count apart
	ours    *row // what dclone takes, where this is another program
	costs   []cost
}

// measure runs the rows in turn, so that a machine that drifts drifts for all of them.
func measure(rows []*row, runs int) error {
	for range runs {
		for _, r := range rows {
			if r.once && len(r.costs) > 0 {
				continue
			}
			if r.prepare != nil {
				if err := r.prepare(); err != nil {
					return err
				}
			}
			if err := r.run(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *row) run() error {
	do := run
	switch {
	case r.silent:
		do = runSilent
	case r.family:
		do = runFamily
	}
	c, err := do(r.command[0], r.command[1:]...)
	r.costs = append(r.costs, c)
	return err
}

func median[T any, V int64 | time.Duration](items []T, value func(T) V) V {
	vs := make([]V, len(items))
	for i, it := range items {
		vs[i] = value(it)
	}
	slices.Sort(vs)
	return vs[len(vs)/2]
}

func least(costs []cost) time.Duration {
	best := costs[0].wall
	for _, c := range costs {
		best = min(best, c.wall)
	}
	return best
}

// middle is the median of each thing that is measured.
func (r *row) middle() cost {
	return cost{
		wall: median(r.costs, func(c cost) time.Duration { return c.wall }),
		cpu:  median(r.costs, func(c cost) time.Duration { return c.cpu }),
		peak: median(r.costs, func(c cost) int64 { return c.peak }),
	}
}

// printRows shows the rows, each beside the first, which is the floor.
func printRows(title string, rows []*row) {
	fmt.Printf("\n%s\n%-34s %9s %9s %9s %9s %8s %8s\n", title, "", "wall min", "wall med", "cpu med", "peak MiB", "× floor", "× cp")
	floor, cp := rows[0].middle(), rows[1].middle()
	for _, r := range rows {
		m := r.middle()
		fmt.Printf("%-34s %9s %9s %9s %9.0f %8.1f %8.1f\n", r.name, short(least(r.costs)), short(m.wall), short(m.cpu),
			float64(m.peak)/1024, ratio(m.wall, floor.wall), ratio(m.wall, cp.wall))
	}
	os.Stdout.Sync()
}

func short(d time.Duration) string {
	if d >= time.Minute {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(100 * time.Microsecond).String()
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(b) }

// printTheirs says how other programs' processes compare with dclone's, and how their calls alone do: most
// of a small run is the JVM's start.
func printTheirs(rows []*row) {
	for _, r := range rows {
		if r.ours == nil {
			continue
		}
		theirs, ours := r.middle(), r.ours.middle()
		call, did := answer(r.costs[0].out)
		fmt.Printf("%s, the call alone: %s (%s)\n", r.name, short(call), did)
		fmt.Printf("  / %s: wall %.1f ×, the call alone %.1f ×, cpu %.1f ×, peak %.1f ×\n", r.ours.name,
			ratio(theirs.wall, ours.wall), ratio(call, ours.wall), ratio(theirs.cpu, ours.cpu),
			float64(theirs.peak)/float64(ours.peak))
	}
}

// answer reads what a script prints last: the milliseconds of the call, and what it did.
func answer(out string) (time.Duration, string) {
	out = strings.TrimSpace(out)
	millis, did, _ := strings.Cut(out[strings.LastIndexByte(out, '\n')+1:], " ")
	n, _ := strconv.ParseInt(millis, 10, 64)
	return time.Duration(n) * time.Millisecond, did
}
