package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"dclone"
	"dclone/address"
	"dclone/backup"
	"dclone/datomic/live"
	"dclone/datomic/local"
	"dclone/datomic/segment"
	"dclone/dest"
	"dclone/replay"
	"dclone/session"
	"dclone/source"
	"dclone/state"
	"dclone/store"
	"dclone/store/dir"
	"dclone/store/kvs"
	"dclone/store/s3"
	"dclone/verify"
)

// The exit codes.
const (
	codeDone        = 0
	codeFailure     = 1
	codeUsage       = 2
	codeNotCarried  = 3
	codeDiffers     = 4
	codeDiverged    = 5
	codeSource      = 6
	codeDest        = 7
	codeBehind      = 8
	codeNone        = 10
	codeLocked      = 11
	codeInterrupted = 130
)

// A failure is an error with the exit code it ends the program with, and what to do about it.
type failure struct {
	code int
	err  error
	try  string // a command or a sentence, perhaps ""
}

func (f *failure) Error() string { return oneLine(f.err.Error()) }
func (f *failure) Unwrap() error { return f.err }

// usage is the failure of arguments that make no sense.
func usage(command, format string, args ...any) error {
	return &failure{codeUsage, fmt.Errorf(format, args...), strings.TrimSpace("dclone help " + command)}
}

// explain finds the exit code of an error and what to do about it. What says most comes first.
func (p *program) explain(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return &failure{f.code, f.err, p.fill(f.try)}
	}
	for _, kind := range kinds {
		if kind.is(err) {
			return &failure{kind.code, err, p.fill(kind.try)}
		}
	}
	return &failure{codeFailure, err, ""}
}

// kinds are the errors the program tells apart. <source> and <dest> stand for what the user gave.
var kinds = []struct {
	is   func(error) bool
	code int
	try  string
}{
	{isAny(replay.ErrStopped, context.Canceled), codeInterrupted, "the same command again"},
	{isA[*address.Error], codeUsage, ""},
	{isA[*kvs.AddressError], codeUsage, "datomic:sql://DB?jdbc:postgresql://host:5432/datomic?user=…&password=…"},
	{isAny(session.ErrShape), codeUsage, "without that flag, or " + tryAfresh},
	{isAny(session.ErrSame), codeUsage, "a destination of its own"},
	{isAny(session.ErrReplaced, verify.ErrReplaced), codeDiverged, "if this source is the one to clone: " + tryAfresh},
	{isAny(session.ErrClaimed, session.ErrNotEmpty), codeDiverged, "another destination, or " + tryAfresh},
	{isA[*dest.DriftError], codeDiverged, "dclone verify <source> <dest> to see what differs, or " + tryAfresh},
	{isAny(dest.ErrStale), codeDiverged, "clone and sidecar restored together, or " + tryAfresh},
	{isAny(dest.ErrForeign, local.ErrAppeared, local.ErrGone), codeDiverged,
		"another destination, or move what is there away; dclone reset <dest> forgets the clone"},
	{isA[*store.ClaimError], codeDiverged, "another place: a backup is of one database, and stays it"},
	{isA[*backup.HistoryError], codeDiverged, "a backup of its own for this history: the restore point that is there stays as it is"},
	{isThere, codeDiverged, "the name it has there, or another storage; a second copy beside the first is what dclone sync makes"},
	{isA[*kvs.CollisionError], codeDiverged, "another name, or another storage"},
	{isAny(backup.ErrAlive), codeLocked, "again when the transactor has been stopped; --force if what moves there is none"},
	{isAny(store.ErrLocked), codeLocked, "again when the other backup has ended"},
	{isAny(local.ErrLocked, state.ErrLocked), codeLocked, "dclone unlock <dest> to see who has it; sync, verify and map wait with --retry-lock 5m"},
	{isAny(state.ErrNone), codeNone, "dclone sync <source> <dest> to make a clone, or --state FILE if its sidecar is kept elsewhere"},
	{isNoBucket, codeDest, "a bucket that is there, dclone makes none; AWS_REGION where it lies in another region"},
	{isNoBackup, codeNone, "dclone list with that address to see what is there"},
	{isNoSource, codeNone, "dclone list datomic-local: to see what is there"},
	{isAny(local.ErrNoLocks), codeDest, "a destination on a file system that has locks"},
	{isAny(syscall.ENOSPC, syscall.EDQUOT), codeDest, "the same command again when there is room: it goes on where it was"},
	{isDamagedClone, codeDest, "to remove the clone's directory by hand, if nobody else needs it, and dclone sync <source> <dest> to copy afresh"},
	{isDamagedCopy, codeDest, "the same command with --full, which replaces what is damaged"},
	{isAny(segment.ErrNewer), codeSource, "a newer dclone"},
	{isDamagedBackup, codeSource, tryDamaged},
	{isDamagedSource, codeSource, "a copy of that database from before the damage; dclone never writes to a source"},
	{isSource(kvs.ErrUnreachable), codeSource, tryServer},
	{isDest(kvs.ErrUnreachable), codeDest, tryServer},
	{isSource(kvs.ErrFull), codeSource, tryFull},
	{isDest(kvs.ErrFull), codeDest, tryFull},
	{isSource(kvs.ErrNotGranted), codeSource, tryGrant},
	{isDest(kvs.ErrNotGranted), codeDest, tryGrant},
	{isSource(kvs.ErrEncryption), codeSource, tryEncryption},
	{isDest(kvs.ErrEncryption), codeDest, tryEncryption},
	{isSource(s3.ErrUnreachable), codeSource, tryEndpoint},
	{isDest(s3.ErrUnreachable), codeDest, tryEndpoint},
	{isSource(s3.ErrConfiguration), codeSource, tryAWS},
	{isDest(s3.ErrConfiguration), codeDest, tryAWS},
	{isSource(s3.ErrRefused), codeSource, tryBucket},
	{isDest(s3.ErrRefused), codeDest, tryBucket},
	{isDest(dir.ErrIrregular), codeDest, "the same command again when what lies there has been removed, or moved away"},
	{isSource(kvs.ErrDenied), codeSource, tryPassword},
	{isDest(kvs.ErrDenied), codeDest, tryPassword},
	{isSource(fs.ErrPermission), codeSource, "the command as a user, or with credentials, that may read the source"},
	{isDest(fs.ErrPermission), codeDest, "the command as a user, or with credentials, that may write to the destination"},
	{isLackingBase, codeDest, "--upgrade-schema, which makes that call; instants before it can no longer be kept there then"},
	{isDestA[*live.MissingError], codeDest, tryLibrary},
	{isDestA[*live.GoneError], codeDest, tryJVM},
	{isDest(live.ErrBusy), codeDest, tryAgain},
	{isDest(live.ErrUnknownOutcome), codeDest, tryAgain},
	{isA[*live.GoneError], codeSource, tryJVM},
	{isA[*dclone.SourceError], codeSource, ""},
	{isA[*dclone.DestError], codeDest, ""},
	{isAny(source.ErrNoTx), codeSource, ""},
}

// What helps whether it is the source or the destination that fails.
const (
	tryPassword   = "the right user and password: in the address, in PGUSER and PGPASSWORD, or in ~/.pgpass"
	tryFull       = "again when others have let go of their connections, or as a role with a higher limit: dclone uses up to 6"
	tryGrant      = "a role to which that is granted: connect, select on datomic_kvs, and for restore insert and update"
	tryServer     = "the host and port at which PostgreSQL accepts connections from here"
	tryEncryption = "sslmode in the URL as the server has it: disable where it encrypts nothing; sslrootcert names who signed its certificate"
	tryPlace      = "the name of the PostgreSQL database, in the URL behind host and port"
	tryEndpoint   = "AWS_ENDPOINT_URL, or AWS_REGION, as the server wants it"
	tryAWS        = "AWS_PROFILE, AWS_REGION and what else is in the environment and ~/.aws, as aws itself would have it"
	tryBucket     = "the address as the server knows it: s3://bucket/prefix"
)

// tryAfresh stands for what it takes to copy afresh, which depends on who has the clone.
const (
	tryAfresh      = "<afresh>"
	tryAfreshLocal = "dclone sync --restart <source> <dest>, which throws the clone away and copies afresh"
	tryAfreshLive  = "to delete that database, <drop>, and dclone sync --restart <source> <dest>, which makes it anew and copies afresh"
	tryAgain       = "the same command again: it finds out what is in the clone, and goes on from there"
)

// What helps against damage in a source. tryDamaged stands for one of the two.
const (
	tryDamaged        = "<damaged>"
	tryDamagedBackup  = "dclone verify --read-all <source> to see all that is bad"
	tryDamagedStorage = "dclone restore of a backup from before the damage, into another storage: what is in this one it does not replace"
)

func isAny(targets ...error) func(error) bool {
	return func(err error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
}

func isA[T error](err error) bool {
	var t T
	return errors.As(err, &t)
}

func isDestA[T error](err error) bool { return isA[*dclone.DestError](err) && isA[T](err) }

// isLackingBase reports whether err says that an upgrade of the destination's base schema would help.
func isLackingBase(err error) bool {
	var e *session.BaseSchemaError
	return errors.As(err, &e) && !e.Made
}

// isDamagedClone reports whether err says that the clone's bytes are not what they should be.
func isDamagedClone(err error) bool {
	return isDestA[*local.DamageError](err)
}

// isDamagedCopy reports whether err says that of a backup that is to be gone on with.
func isDamagedCopy(err error) bool {
	return isA[*dclone.DestError](err) && (isA[*segment.DamageError](err) || errors.Is(err, store.ErrMissing))
}

// isDamagedSource reports whether err says that the source's bytes are not what they should be.
func isDamagedSource(err error) bool {
	return isA[*dclone.SourceError](err) && isA[*local.DamageError](err)
}

// isDamagedBackup reports whether err says that what the segments of a source hold is not what it should
// be, or that one is missing.
func isDamagedBackup(err error) bool {
	return isA[*dclone.SourceError](err) && (isA[*segment.DamageError](err) || errors.Is(err, kvs.ErrDamaged) || errors.Is(err, store.ErrMissing))
}

// isSource returns whether an error says that of the source.
func isSource(target error) func(error) bool {
	return func(err error) bool { return isA[*dclone.SourceError](err) && errors.Is(err, target) }
}

// isDest returns whether an error says that of the destination.
func isDest(target error) func(error) bool {
	return func(err error) bool { return isA[*dclone.DestError](err) && errors.Is(err, target) }
}

// isThere reports whether err says that a database that is to be restored is there under another name.
func isThere(err error) bool {
	var c *kvs.CollisionError
	return errors.As(err, &c) && c.There
}

// isNoBucket reports whether err says that there is nothing that a backup could be written to.
func isNoBucket(err error) bool {
	return isDest(store.ErrNoDatabase)(err) && !errors.Is(err, kvs.ErrNoPlace)
}

// isNoBackup reports whether err says that there is no such backup, restore point or storage to read.
func isNoBackup(err error) bool {
	return !isA[*dclone.DestError](err) && (errors.Is(err, store.ErrNoDatabase) || errors.Is(err, store.ErrNoRoot))
}

// isNoSource reports whether err says that there is no such database to read.
func isNoSource(err error) bool {
	return errors.Is(err, local.ErrNoDatabase) || isA[*dclone.SourceError](err) && errors.Is(err, fs.ErrNotExist)
}
