//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"dclone"
	"dclone/datomic/segment"
	"dclone/fressian"
	"dclone/source/pro"
	"dclone/store"
	"dclone/store/dir"
	"dclone/store/kvs"
)

// startPro runs one of the processes that the rows of Datomic Pro measure.
func startPro(args []string) error {
	switch args[0] {
	case "pro-floor":
		return proFloor(args[1])
	case "pro-scan":
		return proScan(args[1], args[2])
	case "pro-poll":
		return proPoll(args[1])
	case "cp-tree":
		return copyTreeSync(args[1], args[2])
	}
	return fmt.Errorf("no such process: %s", args[0])
}

func openBackup(at string) (*store.Backup, error) {
	files, err := dir.Open(at)
	if err != nil {
		return nil, err
	}
	return store.OpenBackup(context.Background(), files)
}

// proFloor turns every value of the log of a backup into a Go value, in one pass of one goroutine.
func proFloor(at string) error {
	b, err := openBackup(at)
	if err != nil {
		return err
	}
	defer b.Close()
	root, err := b.Root(context.Background(), store.Newest)
	if err != nil {
		return err
	}
	w := &logWalk{segments: b, txs: segment.NewTxReader(nil, true)}
	if err := w.dir(root.Log, 2); err != nil {
		return err
	}
	return w.decode(root.Tail, true)
}

// A logWalk goes through a log in order.
type logWalk struct {
	segments store.Segments
	txs      *segment.TxReader
	raw      []byte
}

func (w *logWalk) dir(id string, levels int) error {
	raw, err := w.unpack(nil, id)
	if err != nil {
		return err
	}
	entries, err := segment.ParseLogDir(raw)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if levels > 1 {
			err = w.dir(e.ID, levels-1)
		} else if w.raw, err = w.unpack(w.raw[:0], e.ID); err == nil {
			err = w.decode(w.raw, false)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *logWalk) unpack(dst []byte, id string) ([]byte, error) {
	stored, err := w.segments.Segment(context.Background(), id)
	if err != nil {
		return dst, err
	}
	return segment.Unpack(dst, stored, segment.MaxSize)
}

func (w *logWalk) decode(raw []byte, tail bool) error {
	w.txs.Reset(raw, tail)
	for w.txs.Next() {
		if err := decodeValues(w.txs.Tx()); err != nil {
			return err
		}
	}
	return w.txs.Err()
}

func decodeValues(tx *dclone.Tx) error {
	for _, d := range tx.Datoms {
		if _, _, err := fressian.Decode(d.V); err != nil {
			return err
		}
	}
	return nil
}

// openPro opens a backup in a directory, or a storage.
func openPro(kind, at string) (*pro.Conn, error) {
	if kind == "storage" {
		db, err := kvs.Open(context.Background(), at, dbName)
		if err != nil {
			return nil, err
		}
		return pro.Open(context.Background(), db, store.Newest)
	}
	b, err := openBackup(at)
	if err != nil {
		return nil, err
	}
	return pro.Open(context.Background(), b, store.Newest)
}

// proScan turns every value of the log into a Go value, as dclone reads the log.
func proScan(kind, at string) error {
	conn, err := openPro(kind, at)
	if err != nil {
		return err
	}
	defer conn.Close()
	for tx, err := range conn.Txs(context.Background(), 0) {
		if err != nil {
			return err
		}
		if err := decodeValues(tx); err != nil {
			return err
		}
	}
	return nil
}

const polls = 1000

// proPoll asks a storage in which nothing happens whether something did, as sync --follow does.
func proPoll(jdbc string) error {
	conn, err := openPro("storage", jdbc)
	if err != nil {
		return err
	}
	defer conn.Close()
	for range polls {
		changed, err := conn.Refresh(context.Background())
		if err == nil && changed {
			err = errors.New("something happened in the storage")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// copyTreeSync is cp and fsync of each file of a directory.
func copyTreeSync(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o777)
		}
		return copySync(path, filepath.Join(to, name))
	})
}
