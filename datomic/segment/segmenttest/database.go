package segmenttest

import (
	"testing"

	"dclone"
	"dclone/datomic/segment"
	"dclone/fressian"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// Options say how a database is cut into segments, and what else there is to it.
type Options struct {
	DatabaseID string // or a fixed one

	Tail int // the last so many transactions are in the log's tail, and in no tree
	Mid  int // of the others the last so many are in the mid tier

	LeafTxs, DirLeaves   int // of the log; 3 and 2 where 0
	LeafDatoms, DirSpans int // of the indexes; 50 and 4 where 0

	Excised        bool // log leaves are as excision writes them
	OldIndex       bool // the index root is of version 1
	WithoutBorders bool // leaves of AEVT and AVET may span attributes
}

func (o *Options) fill() {
	for p, v := range map[*int]int{&o.LeafTxs: 3, &o.DirLeaves: 2, &o.LeafDatoms: 50, &o.DirSpans: 4} {
		if *p == 0 {
			*p = v
		}
	}
	if o.DatabaseID == "" {
		o.DatabaseID = "test-00000000-1111-4222-8333-444444444444"
	}
}

// A Database is a database in memory.
type Database struct {
	Segments map[segment.ID][]byte // as they are stored: packed
	Root     segment.BackupRoot
	T        dclone.T // of the newest transaction
}

// Build builds a database. The transactions follow the bootstrap, in order.
func Build(t testing.TB, txs []dclone.Tx, o Options) *Database {
	t.Helper()
	o.fill()
	b := &builder{t: t, o: o, db: &Database{Segments: map[segment.ID][]byte{}}}
	inTrees := txs[:max(len(txs)-o.Tail, 0)]
	b.db.T = newest(txs)
	tail, err := segment.AppendLogTail(nil, txs[len(inTrees):])
	require.NoError(t, err)
	b.db.Root = segment.BackupRoot{
		Version: segment.BackupVersion, LogVersion: 3, IndexVersion: 2, DatabaseID: o.DatabaseID,
		Index: b.indexes(inTrees), Log: b.log(inTrees), Tail: tail,
	}
	if o.OldIndex {
		b.db.Root.IndexVersion = 1
	}
	return b.db
}

func newest(txs []dclone.Tx) dclone.T {
	if len(txs) == 0 {
		return Born
	}
	return txs[len(txs)-1].T
}

// Raw returns a segment, unpacked.
func (db *Database) Raw(t testing.TB, id segment.ID) []byte {
	t.Helper()
	require.Contains(t, db.Segments, id)
	raw, err := segment.Unpack(nil, db.Segments[id], segment.MaxSize)
	require.NoError(t, err)
	return raw
}

// RootFile returns the root file of a backup of any version, 1 to 3.
func (db *Database) RootFile(t testing.TB, version int) []byte {
	t.Helper()
	if version == segment.BackupVersion {
		return segment.AppendBackupRoot(nil, db.Root)
	}
	ns, names := "", []string{"index-root-id", "log-root-id", "log-tail", "db-id"}
	var m fressian.Map
	if version > 1 {
		m = append(m, fressian.Entry{Key: dclone.Kw("backup", "version"), Value: int64(version)})
		names = []string{"root-id", "root-id", "tail", "id"}
	}
	for i, v := range []any{db.Root.Index, db.Root.Log, db.Root.Tail, db.Root.DatabaseID} {
		if version > 1 {
			ns = []string{"index", "log", "log", "db"}[i]
		}
		m = append(m, fressian.Entry{Key: dclone.Kw(ns, names[i]), Value: v})
	}
	b, err := fressian.Append(nil, m)
	require.NoError(t, err)
	return b
}

// A builder builds one database.
type builder struct {
	t  testing.TB
	o  Options
	db *Database
}

// put stores a segment that must have been written without error, and returns its id.
func (b *builder) put(raw []byte, err error) segment.ID {
	require.NoError(b.t, err)
	id := uuid.NewSHA1(uuid.Nil, raw).String()
	b.db.Segments[id] = segment.Pack(nil, raw)
	return id
}
