package segment

import (
	"errors"
	"fmt"
	"strings"

	"dclone"
	"dclone/fressian"

	"github.com/google/uuid"
)

// BackupVersion is the version of backups that Datomic writes now.
const BackupVersion = 3

// ErrNewer says that something was written by a Datomic newer than those this program knows.
var ErrNewer = errors.New("the newest version that is known is 3")

// A BackupRoot is what a root file of a backup says.
type BackupRoot struct {
	Version, LogVersion, IndexVersion int // 1 where the file does not say
	DatabaseID                        string
	Index, Log                        ID
	Tail                              []byte // for a TxReader
}

// The keys of a root file, now and in version 1.
var (
	backupKeys   = backupNames{"db/id", "index/root-id", "log/root-id", "log/tail"}
	backupKeysV1 = backupNames{"db-id", "index-root-id", "log-root-id", "log-tail"}
)

type backupNames struct{ database, index, log, tail string }

// ParseBackupRoot reads a root file of any version up to the present one.
func ParseBackupRoot(b []byte) (BackupRoot, error) {
	f := decodeRecord(RootFile, b)
	r := BackupRoot{
		Version:      max(f.small("backup/version"), 1),
		LogVersion:   max(f.small("log/version"), 1),
		IndexVersion: max(f.small("index/version"), 1),
	}
	if f.err == nil && r.Version > BackupVersion {
		return BackupRoot{}, fmt.Errorf("read %s of version %d: %w", RootFile, r.Version, ErrNewer)
	}
	keys := backupKeys
	if _, ok := f.of[keys.index]; !ok && r.Version == 1 {
		keys = backupKeysV1
	}
	r.DatabaseID = f.text(keys.database)
	r.Index, r.Log = f.anyID(keys.index), f.anyID(keys.log)
	var ok bool
	if r.Tail, ok = f.of[keys.tail].([]byte); !ok && f.of[keys.tail] != nil {
		f.fail(":%s is a %T", keys.tail, f.of[keys.tail])
	}
	if f.err != nil {
		return BackupRoot{}, f.err
	}
	return r, nil
}

// anyID returns the id at key, which must be there, as a string or a uuid.
func (r *record) anyID(key string) ID {
	switch v := r.of[key].(type) {
	case uuid.UUID:
		return v.String()
	case string:
		if id, err := uuid.Parse(v); err != nil || id.String() != v {
			r.fail(":%s is %.80q", key, v)
		}
		return v
	default:
		if v == nil {
			r.fail(":%s is missing", key)
		} else {
			r.fail(":%s is a %T", key, v)
		}
		return ""
	}
}

// AppendBackupRoot appends r as a root file of the present version, whatever version it was read
// from.
func AppendBackupRoot(dst []byte, r BackupRoot) []byte {
	text := func(s string) string { return strings.ToValidUTF8(s, "?") }
	// Of all values only a text that is no UTF-8 could fail.
	dst, _ = fressian.Append(dst, fressian.Map{
		{Key: dclone.Kw("log", "version"), Value: int64(r.LogVersion)},
		{Key: dclone.Kw("index", "version"), Value: int64(r.IndexVersion)},
		{Key: dclone.Kw("backup", "version"), Value: int64(BackupVersion)},
		{Key: dclone.Kw("index", "root-id"), Value: text(r.Index)},
		{Key: dclone.Kw("log", "root-id"), Value: text(r.Log)},
		{Key: dclone.Kw("log", "tail"), Value: r.Tail},
		{Key: dclone.Kw("db", "id"), Value: text(r.DatabaseID)},
	})
	return dst
}
