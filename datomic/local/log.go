package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"dclone"
)

// BootstrapT is the last t every database is born with; users' transactions come after it.
const BootstrapT dclone.T = 5

const (
	logName  = "db.log"
	idxName  = "log.idx"
	lockName = ".lock"

	entrySize = 8
)

// ErrNoDatabase says that a directory holds no Datomic Local database.
var ErrNoDatabase = errors.New("no Datomic Local database is here")

// A Log is a database's log as far as it was whole at one instant. It reads with pread and locks
// nothing, so a Datomic Local process may go on writing behind its end.
type Log struct {
	db, idx file // idx is nil where there is no log.idx, or where it proved wrong
	path    string

	end     int64 // behind the last whole frame
	entries int64 // of log.idx, that name frames before end
	last    int64 // offset of the last whole frame
	basis   dclone.T
}

// file is what a Log asks of an open file.
type file interface {
	io.ReaderAt
	Stat() (os.FileInfo, error)
	Close() error
}

// OpenLog opens the log of the database in dir and finds its basis-t. A frame half written at
// the end does not count. The error wraps ErrNoDatabase where dir has no db.log.
func OpenLog(dir string) (*Log, error) {
	path := filepath.Join(dir, logName)
	db, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("open %s: %w", path, ErrNoDatabase)
	}
	if err != nil {
		return nil, err
	}
	l := &Log{db: db, path: path}
	if idx, err := os.Open(filepath.Join(dir, idxName)); err == nil {
		l.idx = idx
	} else if !errors.Is(err, os.ErrNotExist) {
		db.Close()
		return nil, err
	}
	if err := l.locate(); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Close closes the files of l.
func (l *Log) Close() error {
	err := l.db.Close()
	if l.idx != nil {
		err = errors.Join(err, l.idx.Close())
	}
	return err
}

// Path returns the name of the log's file.
func (l *Log) Path() string { return l.path }

// Basis returns the t of the last whole frame.
func (l *Log) Basis() dclone.T { return l.basis }

// End returns the offset behind the last whole frame, in bytes.
func (l *Log) End() int64 { return l.end }

// Last returns the offset of the last whole frame.
func (l *Log) Last() int64 { return l.last }

// ReadAt reads the log's bytes, io.ReaderAt as the standard has it.
func (l *Log) ReadAt(b []byte, off int64) (int, error) { return l.db.ReadAt(b, off) }

// CopyTo writes the log's bytes between two offsets to w.
func (l *Log) CopyTo(w io.Writer, from, to int64) error {
	n, err := io.Copy(w, io.NewSectionReader(l.db, from, to-from))
	if err == nil && n < to-from {
		err = &DamageError{l.path, from + n, errTorn}
	}
	return err
}

// Scan returns a Scanner over the frames from one offset to another, both frame borders.
func (l *Log) Scan(from, to int64) *Scanner { return newScanner(l.db, l.path, from, to) }

// locate finds the last whole frame. log.idx is read before db.log: Datomic Local writes a
// frame's entry first, so of the frames log.idx named then only the last may be incomplete.
func (l *Log) locate() error {
	entries, err := l.countEntries()
	if err != nil {
		return err
	}
	info, err := l.db.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("open %s: it is not a regular file", l.path)
	}
	size := info.Size()
	if entries > 0 {
		if err = l.locateIndexed(entries, size); err == nil {
			return l.checkBasis()
		}
		var cut *cutError
		if errors.As(err, &cut) {
			return err
		}
		l.distrust() // the log alone decides whether it or its index is wrong
	}
	if err := l.walk(0, size, false); err != nil {
		return err
	}
	return l.checkBasis()
}

func (l *Log) countEntries() (int64, error) {
	if l.idx == nil {
		return 0, nil
	}
	info, err := l.idx.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size() / entrySize, nil
}

// A cutError says that log.idx names more frames than a writer at work could explain.
type cutError struct{ missing, size int64 }

func (e *cutError) Error() string {
	return fmt.Sprintf("the log ends here, %d frames short of what %s names: it was cut", e.missing, idxName)
}

func (l *Log) locateIndexed(entries, size int64) error {
	k, beyond := entries-1, int64(0)
	offset, err := l.entry(k)
	for ; err == nil && offset >= size; offset, err = l.entry(k) {
		if beyond++; k == 0 {
			return &DamageError{l.path, size, errTorn}
		}
		k--
	}
	if err != nil {
		return err
	}
	if beyond > 1 {
		return &DamageError{l.path, size, &cutError{beyond, size}}
	}
	end, t, err := l.frame(offset, size)
	if errors.Is(err, errTorn) && k > 0 {
		if beyond > 0 {
			return &DamageError{l.path, size, &cutError{beyond + 1, size}}
		}
		size = offset
		k--
		if offset, err = l.entry(k); err != nil {
			return err
		}
		if end, t, err = l.frame(offset, size); err == nil && end != size {
			err = fmt.Errorf("read %s: entry %d does not name a frame", idxName, k+1)
		}
	}
	if err != nil {
		return err
	}
	l.last, l.end, l.basis, l.entries = offset, end, t, k+1
	return l.tail(entries, size)
}

// tail looks at what lies behind the last frame that log.idx names.
func (l *Log) tail(entries, size int64) error {
	if l.end == size {
		return nil
	}
	if now, err := l.countEntries(); err != nil || now > entries {
		return err // a writer is at work; what it wrote since is for the next reader
	}
	return l.walk(l.end, size, true)
}

// walk reads frame by frame from an offset, for want of a log.idx that names them.
func (l *Log) walk(from, size int64, known bool) error {
	s := l.Scan(from, size)
	if known {
		s.head = header{T: l.basis, Count: 1}
	}
	for s.Frame() {
		offset := s.frameOffset
		for s.Datom() {
		}
		if s.Err() != nil {
			break
		}
		l.last, l.end, l.basis = offset, s.at(), s.head.T
	}
	if err := s.Err(); err != nil && !errors.Is(err, errTorn) {
		return err
	}
	if l.end == 0 {
		return &DamageError{l.path, size, errTorn}
	}
	return nil
}

func (l *Log) checkBasis() error {
	s := l.Scan(0, l.end)
	if !s.Frame() || s.T() != 0 || !s.Datom() || s.D.E != dclone.TxID(0) {
		if err := s.Err(); err != nil {
			return err
		}
		return &DamageError{l.path, 0, errors.New("this is not the log of a Datomic Local database")}
	}
	if l.basis < BootstrapT {
		return &DamageError{l.path, l.end, fmt.Errorf(
			"the log ends at t %d, within the transactions every database is born with", l.basis)}
	}
	return nil
}

// frame reads the frame at offset and returns its end and t.
func (l *Log) frame(offset, size int64) (end int64, t dclone.T, err error) {
	s := l.Scan(offset, size)
	if s.Frame() {
		for s.Datom() {
		}
	}
	if s.err == nil && s.head.Count == 0 {
		return 0, 0, &DamageError{l.path, offset, errTorn}
	}
	return s.at(), s.head.T, s.err
}

func (l *Log) entry(k int64) (int64, error) {
	var b [entrySize]byte
	if _, err := l.idx.ReadAt(b[:], k*entrySize); err != nil {
		return 0, fmt.Errorf("read entry %d of %s: %w", k, idxName, err)
	}
	return int64(binary.BigEndian.Uint64(b[:]) &^ (1 << 63)), nil
}

// distrust makes l do without log.idx.
func (l *Log) distrust() {
	if l.idx != nil {
		l.idx.Close()
		l.idx = nil
	}
	l.entries = 0
}
