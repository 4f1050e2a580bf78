package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"dclone"
	destlocal "dclone/dest/local"
	"dclone/state"
)

const unlockLong = `Tell who has the clone DEST or its sidecar locked, and remove what dead runs have left
beside it. Locks are the system's own and end with the process that holds them, however
it ends: there is never one to be broken, and unlock breaks none. Of a live clone it is the
sidecar's lock; of one that Datomic Local has, also that of the process that has it open.

Exit codes: 0 nothing is locked · 10 no such clone · 11 somebody has it locked`

func newUnlock(p *program) *cobra.Command {
	var stateFile string
	cmd := &cobra.Command{
		Use:     "unlock DEST",
		Short:   "Tell who has a clone locked, and tidy up",
		Long:    unlockLong,
		Example: "  dclone unlock datomic-local:dev/orders",
		RunE: func(_ *cobra.Command, args []string) error {
			ctx, cancel := untilSignal()
			defer cancel()
			return p.unlock(ctx, args, stateFile)
		},
	}
	stateFlag(cmd, &stateFile)
	return cmd
}

func (p *program) unlock(ctx context.Context, args []string, stateFile string) error {
	if len(args) > 1 {
		return usage("unlock", "%d arguments where DEST is wanted", len(args))
	}
	dst, err := p.dest1("unlock", args, stateFile)
	if err != nil {
		return err
	}
	if _, err := os.Stat(cmp.Or(directory(dst.address), dst.state)); err != nil {
		return &failure{codeNone, fmt.Errorf("unlock %s: there is no such clone", dst.address), ""}
	}
	locked, err := p.tellHolders(ctx, dst)
	if err != nil {
		return err
	}
	if locked {
		return &failure{codeLocked, fmt.Errorf("unlock %s: it is in use, and no lock was broken", dst.address),
			"again when that process has ended"}
	}
	if err := p.tidy(dst); err != nil {
		return dclone.InDest(err)
	}
	fmt.Fprintln(p, "nothing is locked")
	return nil
}

// tellHolders prints who has locked what.
func (p *program) tellHolders(ctx context.Context, dst place) (locked bool, err error) {
	var holders []destlocal.Holder
	if dir := directory(dst.address); dir != "" {
		if holders, err = destlocal.Holders(dir); err != nil {
			return false, dclone.InDest(err)
		}
	}
	// The kernel does not tell who holds dclone's own kind of lock, but a run tells of itself.
	dclone := "dclone, or another program that does not tell its number"
	if r, _ := readRecord(dst.state); r != nil && r.Outcome == outcomeRunning && alive(r.PID) {
		dclone = fmt.Sprintf("process %d, a run of dclone since %s", r.PID, dateText(&r.Started))
	}
	var rows []string
	for _, h := range holders {
		who := dclone
		if h.PID > 0 {
			who = fmt.Sprintf("process %d", h.PID)
		}
		rows = append(rows, h.File+"\t"+who)
	}
	_, err = dst.read(ctx, 0)
	if errors.Is(err, state.ErrLocked) {
		rows = append(rows, dst.state+"\t"+dclone)
	}
	p.table(rows...)
	return len(rows) > 0, nil
}

// lock locks the clone.
func (p place) lock() (io.Closer, error) {
	if p.isLive() {
		return state.Open(p.state)
	}
	return destlocal.Lock(p.dir)
}

// tidy removes what runs leave beside a sidecar when they are killed. Nobody holds any of it: the
// clone is locked meanwhile.
func (p *program) tidy(dst place) error {
	found := state.Rests(dst.state)
	if info, err := os.Lstat(dst.state + recordTmpSuffix); err == nil && info.Mode().IsRegular() {
		found = append(found, dst.state+recordTmpSuffix)
	}
	if len(found) == 0 {
		return nil
	}
	lock, err := dst.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	for _, name := range found {
		if err := os.Remove(name); err != nil {
			return err
		}
		fmt.Fprintln(p, "removed "+name)
	}
	return nil
}
