package main

import (
	"context"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// A program is one run of dclone, whatever the command.
type program struct {
	*console
	json    bool
	started bool // arguments and flags made sense so far
	live    liveOptions

	source, dest string // as the user gave them, without passwords
	dropCall     string // how the clone is deleted, where a running Datomic has it
}

const rootLong = `dclone clones Datomic databases, incrementally and exactly once.

    dclone sync SOURCE DEST

The first run copies the source's present state; every later one carries over the
transactions that came since. The same command again is the resume, the catch-up
and the no-op. Whatever was interrupted, the next run puts right.

Addresses:
  datomic-local:/abs/storage-dir/SYSTEM/DB   a Datomic Local database on disk
  datomic-local:SYSTEM/DB                    the same, storage-dir from ~/.datomic/local.edn
  file:/path, s3://bucket/prefix             a Datomic Pro backup; ?t=T names a restore point
  datomic:sql://DB?jdbc:postgresql://…       Datomic Pro storage in PostgreSQL: the URI that
                                             peers connect to, in quotes because of ? and &
  datomic:dev://…, datomic:ddb://…, …        any other URI that peers connect to; behind that of
                                             storage in PostgreSQL, &via=peer (or ?via=peer)
  client:FILE.edn#DB, client:{…}#DB          a database of Datomic's client API (Local, Cloud,
                                             peer-server): its argument map, and the name

All of them can be read; a clone is a Datomic Local database, or live: one of the last two
kinds. backup and restore copy Datomic Pro databases as they are. The last two kinds are
read and written through Datomic's own library, in a JVM that dclone starts and ends: it
needs java, and --datomic-classpath or what stands for it. All others are native.

Environment:
  DCLONE_SOURCE, DCLONE_DEST    what SOURCE and DEST are where they are left out: of sync, plan
                                and verify; DEST also of status, map, reset and unlock
  PGUSER, PGPASSWORD, …         as for psql, where the address of a storage does not say;
                                ~/.pgpass too. Passwords are neither shown nor kept
  DCLONE_DATOMIC_CLASSPATH      the class path with Datomic's own library, for live databases; or
                                what clojure or mvn make of a deps.edn or pom.xml in the
                                current directory. JAVA_HOME: which java
  XDG_STATE_HOME                where the sidecars of live clones are, in dclone/ (~/.local/state)
  AWS_PROFILE, AWS_REGION, …    as for aws: environment, profiles, SSO, roles;
                                AWS_ENDPOINT_URL for other servers that speak S3

Exit codes:
    0  done, also "already up to date"
    1  failure
    2  usage or configuration
    3  done, but something could not be carried (it is listed)
    4  verify found a difference, or damage
    5  source reset or replaced, clone diverged, claimed by another session or database
    6  source error
    7  destination error
    8  behind (status --fail-if-behind)
   10  no such database, backup, restore point or clone
   11  locked by another run or by Datomic Local; a transactor is at work (restore)
  130  interrupted, state saved, run again`

func newRoot(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:                "dclone",
		Short:              "Clone Datomic databases, incrementally and exactly once",
		Long:               rootLong,
		SilenceErrors:      true,
		SilenceUsage:       true,
		CompletionOptions:  cobra.CompletionOptions{DisableDefaultCmd: true},
		DisableSuggestions: true,
		PersistentPreRun:   func(*cobra.Command, []string) { p.started = true },
	}
	root.SuggestionsMinimumDistance = 2
	root.SetOut(p)
	root.SetErr(p)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd.Name(), "%w", err) })
	root.AddCommand(newSync(p), newPlan(p), newStatus(p), newVerify(p), newList(p), newSchema(p), newLog(p),
		newBackup(p), newRestore(p),
		newMap(p), newReset(p), newUnlock(p), newCompletion(p), newVersion(p))
	root.SetHelpCommand(newHelp())
	return root
}

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Show help for a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usage("", "there is no command %q", strings.Join(args, " "))
			}
			return about.Help()
		},
	}
}

// jsonFlag lets a command print JSON.
func (p *program) jsonFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.json, "json", false, "print JSON")
}

// stateFlag lets a command find a sidecar that is not in its clone's directory.
func stateFlag(cmd *cobra.Command, state *string) {
	cmd.Flags().StringVar(state, "state", "", "the clone's sidecar (default dclone.state in the clone's directory; see sync for live clones)")
}

// fill puts the user's own addresses into what to try.
func (p *program) fill(try string) string {
	if try == tryDamaged {
		try = tryDamagedBackup
		if strings.HasPrefix(p.source, "datomic:sql:") {
			try = tryDamagedStorage
		}
	}
	afresh := tryAfreshLocal
	if p.dropCall != "" {
		afresh = tryAfreshLive
	}
	try = strings.ReplaceAll(try, tryAfresh, afresh)
	pairs := []string{"<drop>", p.dropCall, "<source>", "SOURCE", "<dest>", "DEST"}
	if p.source != "" {
		pairs[3] = shellWord(p.source)
	}
	if p.dest != "" {
		pairs[5] = shellWord(p.dest)
	}
	return strings.NewReplacer(pairs...).Replace(try)
}

// shellWord returns s as it is to be typed.
func shellWord(s string) string {
	if strings.ContainsAny(s, " \t\n'\"\\$`!*?[](){}<>|&;#~") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// untilSignal returns a context that the first signal ends; a second one ends the program.
func untilSignal() (context.Context, context.CancelFunc) {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, cancel)
	return ctx, cancel
}
