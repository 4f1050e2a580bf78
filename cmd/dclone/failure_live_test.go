package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"dclone"
	"dclone/datomic/live"
	"dclone/datomic/local"
	"dclone/dest"
	destlive "dclone/dest/live"
	"dclone/session"
)

// What goes wrong with live databases tells which of the two it is about, and what to do.
func TestExplainLive(t *testing.T) {
	t.Setenv("HOME", "/home/me")
	refused := &live.Refused{Anomaly: "cognitect.anomalies/conflict", DBError: "db.error/unique-conflict", Message: "Unique conflict: :a"}
	gone := &live.GoneError{Cause: errors.New("exit status 3")}
	for _, c := range []struct {
		err          error
		code         int
		message, try string
	}{
		{dclone.InSource(gone), codeSource, "source datomic:dev://a:1/x?password=***: the JVM is gone: exit status 3", "--jvm-opts"},
		{dclone.InDest(gone), codeDest, "clone datomic:dev://b:1/y?password=***: the JVM is gone", "--jvm-opts"},
		{gone, codeDest, "clone datomic:dev://b:1/y", "--jvm-opts"},
		{dclone.InDest(fmt.Errorf("transact to y: %w", refused)), codeDest,
			"clone datomic:dev://b:1/y?password=***: transact to y: transaction refused: :db.error/unique-conflict Unique conflict: :a (:cognitect.anomalies/conflict)", ""},
		{dclone.InDest(&destlive.MergeError{T: 7, Source: 8, Clone: 9}), codeDest, "entity 8 of the source became entity 9", ""},
		{dclone.InDest(fmt.Errorf("transact: %w", live.ErrBusy)), codeDest, "the database is busy", "the same command again"},
		{dclone.InDest(fmt.Errorf("transact: %w: x", live.ErrUnknownOutcome)), codeDest, "outcome", "the same command again"},
		{dclone.InDest(&live.MissingError{What: "no java"}), codeDest, "clone datomic:dev://b", "--datomic-classpath"},
		{dclone.InDest(&session.BaseSchemaError{Missing: []dclone.Keyword{dclone.Kw("db", "tupleAttrs")}, Call: "(d/administer-system x)"}), codeDest,
			"has no :db/tupleAttrs", "--upgrade-schema, "},
		{dclone.InDest(&session.BaseSchemaError{Missing: []dclone.Keyword{dclone.Kw("db", "tupleAttrs")}, Made: true}), codeDest, "although it was upgraded", ""},
		{dclone.InDest(&dest.DriftError{T: 9, Cause: "x"}), codeDiverged, "from t 9 on", `(d/delete-database "datomic:dev://b:1/y?password=***")`},
		{fmt.Errorf("x: %w", dest.ErrStale), codeDiverged, "", "clone and sidecar restored together, or to delete that database"},
		{fmt.Errorf("x: %w", session.ErrClaimed), codeDiverged, "", "--state FILE"},
		{fmt.Errorf("x: %w", session.ErrNotEmpty), codeDiverged, "", "--state FILE"},
	} {
		p := &program{}
		pr, err := p.pair("sync", []string{"datomic:dev://a:1/x?password=swordfish", "datomic:dev://b:1/y?password=swordfish"}, "")
		if err != nil {
			t.Fatal(err)
		}
		f := p.explain(pr.explain(c.err, nil))
		if f.code != c.code || !strings.Contains(f.Error(), c.message) || !strings.Contains(f.try, c.try) || c.try == "" && f.try != "" {
			t.Errorf("%v: exit code %d: %s\nTry: %s", c.err, f.code, f, f.try)
		}
		if strings.Contains(f.Error()+f.try, "swordfish") {
			t.Errorf("it shows a password: %s\n%s", f, f.try)
		}
	}
}

// What Datomic Local says of its lock is said once, in dclone's words.
func TestNoLiveLocked(t *testing.T) {
	a, err := parseAddress("datomic:dev://b:1/y")
	if err != nil {
		t.Fatal(err)
	}
	err = noLive(theDest, a, fmt.Errorf("connect to y: %w", &live.RemoteError{Message: "File /s/.lock is in use by another process."}))
	if want := "open destination datomic:dev://b:1/y: it is open elsewhere"; err.Error() != want || !errors.Is(err, local.ErrLocked) {
		t.Errorf("%v, want %s", err, want)
	}
}
