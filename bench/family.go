//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"dclone/datomic/local"
)

// runFamily is run for processes that have children: its peak is that of the process alone, and that of all JVMs it has
// started is beside it. The processor time is that of all. Where there is no /proc, the peaks are one.
func runFamily(name string, args ...string) (cost, error) {
	var out bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	done, peaks := make(chan struct{}), make(chan map[string]int64, 1)
	c, err := measured(cmd, &out, func(pid int) {
		go func() {
			all := map[string]int64{}
			for {
				watch(fmt.Sprint(pid), all)
				select {
				case <-done:
					peaks <- all
					return
				case <-time.After(250 * time.Millisecond):
				}
			}
		}()
	})
	close(done)
	if err != nil {
		return c, err
	}
	all := <-peaks
	own := fmt.Sprint(cmd.Process.Pid)
	if all[own] > 0 {
		c.peak = all[own]
		delete(all, own)
	}
	for _, peak := range all {
		c.children += peak
	}
	return c, nil
}

// watch notes the high-water marks of a process and of those it has started, in KiB.
func watch(pid string, all map[string]int64) {
	status, _ := os.ReadFile(filepath.Join("/proc", pid, "status"))
	if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
		var peak int64
		fmt.Sscan(rest, &peak)
		all[pid] = max(all[pid], peak)
	}
	lists, _ := filepath.Glob(filepath.Join("/proc", pid, "task", "*", "children"))
	for _, list := range lists {
		children, _ := os.ReadFile(list)
		for _, child := range strings.Fields(string(children)) {
			watch(child, all)
		}
	}
}

// printFamilies shows the rows, and what their calls alone took where they say so.
func printFamilies(title string, rows []*row) {
	fmt.Printf("\n%s\n%-34s %9s %9s %9s %9s %9s\n", title, "", "wall min", "wall med", "cpu med", "own MiB", "JVMs MiB")
	for _, r := range rows {
		m := r.middle()
		children := median(r.costs, func(c cost) int64 { return c.children })
		fmt.Printf("%-34s %9s %9s %9s %9.0f %9.0f\n", r.name, short(least(r.costs)), short(m.wall), short(m.cpu),
			float64(m.peak)/1024, float64(children)/1024)
	}
	for _, r := range rows {
		if call, did := answer(r.costs[0].out); call > 0 && r.ours == nil {
			fmt.Printf("%s, the calls alone: %s, %s\n", r.name, short(call), did)
		}
	}
	os.Stdout.Sync()
}

// printLastT prints the t of the newest transaction of a Datomic Local database.
func printLastT(dir string) error {
	d, err := local.LockDir(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	w, err := d.Open()
	if err == nil {
		fmt.Println(int64(w.Basis()))
	}
	return err
}

// lastT asks another process, for a lock goes with the process that has it.
func (w *workshop) lastT(dir string) (int, error) {
	c, err := run(w.self, "last-t", dir)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(c.out))
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}
