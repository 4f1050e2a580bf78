package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"dclone"
	"dclone/address"
	"dclone/session"
	"dclone/state"
)

const statusLong = `Show how far a clone has come: its position, how far it lags behind its source, the
phase, the last run, and what could not be carried. DEST is the clone's address, STATE
the path of a sidecar. It answers while a run is going on.
A live source is asked through a JVM, where one can be had; that takes a few seconds. A live
clone is not asked: what is known of it is in the sidecar.

With --fail-if-behind the exit code is 8 when the clone lags by more than N
transactions (0 where N is left out), or is not whole yet. Passwords are not kept: where
the source's address needs one, the lag can be told if DCLONE_SOURCE holds that address,
or PGPASSWORD or ~/.pgpass the password.

Exit codes: 0 · 10 no such clone; with --fail-if-behind also 5 the source is another
database · 6 the source cannot be read · 8 behind`

const statusExample = `  dclone status datomic-local:dev/orders
  dclone status /data/clones/dev/orders/dclone.state --json
  dclone status datomic-local:dev/orders --fail-if-behind=1000`

type statusOptions struct {
	state  string
	behind string // how far the clone may be, "" where it does not matter
}

func newStatus(p *program) *cobra.Command {
	var opt statusOptions
	cmd := &cobra.Command{
		Use:     "status DEST|STATE",
		Short:   "Show how far a clone has come",
		Long:    statusLong,
		Example: statusExample,
		RunE: func(_ *cobra.Command, args []string) error {
			ctx, cancel := untilSignal()
			defer cancel()
			return p.status(ctx, args, opt)
		},
	}
	p.jsonFlag(cmd)
	stateFlag(cmd, &opt.state)
	cmd.Flags().StringVar(&opt.behind, "fail-if-behind", "", "exit 8 when the clone lags by more than `N` transactions")
	cmd.Flags().Lookup("fail-if-behind").NoOptDefVal = "0"
	p.childFlags(cmd.Flags())
	return cmd
}

func (p *program) status(ctx context.Context, args []string, opt statusOptions) error {
	limit := int64(-1)
	if opt.behind != "" {
		// N may stand behind the flag as a word of its own.
		if n := slices.IndexFunc(args, isNumber); n >= 0 && opt.behind == "0" {
			opt.behind = args[n]
			args = slices.Delete(slices.Clone(args), n, n+1)
		}
		var err error
		if limit, err = strconv.ParseInt(opt.behind, 10, 64); err != nil || limit < 0 {
			return usage("status", "--fail-if-behind %s: it is not a number of transactions", opt.behind)
		}
	}
	if len(args) > 1 {
		return usage("status", "%d arguments where DEST or STATE is wanted", len(args))
	}
	dst, err := p.statusPlace(args, opt.state)
	if err != nil {
		return err
	}
	st, err := p.readStatus(ctx, dst)
	if err != nil {
		return err
	}
	if p.json {
		err = p.document(st)
	} else {
		p.table(st.rows()...)
	}
	if err != nil || limit < 0 {
		return err
	}
	return st.behind(limit)
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// statusPlace reads DEST or STATE.
func (p *program) statusPlace(args []string, state string) (place, error) {
	text := os.Getenv(envDest)
	if len(args) > 0 {
		text = args[0]
	}
	info, err := os.Stat(text)
	if strings.HasPrefix(text, address.Scheme) || err == nil && info.IsDir() {
		return p.dest1("status", args, state)
	}
	switch {
	case text == "":
		return place{}, usage("status", "DEST or STATE is wanted, as an argument or in %s", envDest)
	case err != nil && strings.Contains(text, ":"):
		return p.dest1("status", args, state)
	case state != "":
		return place{}, usage("status", "either STATE or --state, not both")
	case err != nil:
		return place{}, &failure{codeNone, fmt.Errorf("open sidecar %s: there is none", text), "the clone's address, as in datomic-local:SYSTEM/DB"}
	}
	dst := place{state: text}
	return dst, dst.checkState()
}

// behind is the failure of a clone that lags by more than it may.
func (st *status) behind(limit int64) error {
	const try = "dclone sync <source> <dest>"
	switch {
	case st.Phase != string(state.Current):
		return &failure{codeBehind, fmt.Errorf("the clone is behind: its first copy is not whole"), try}
	case st.replaced:
		return fmt.Errorf("compare %s with the session: %w", st.Source, session.ErrReplaced)
	case st.Lag == nil:
		return &dclone.SourceError{Err: fmt.Errorf("the lag cannot be told: %s", st.SourceError)}
	case *st.Lag > limit:
		return &failure{codeBehind, fmt.Errorf("the clone is behind by %s", count(int(*st.Lag), "transaction", "transactions")), try}
	}
	return nil
}
