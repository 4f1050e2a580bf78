package local

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"dclone"
)

// A Writer appends frames to a log through locked handles.
type Writer struct {
	dir     *Dir
	db      *os.File
	idx     *os.File // nil where there is none yet
	loading bool

	end     int64    // bytes of db.log, behind the last whole frame
	entries int64    // of log.idx
	last    int64    // offset of the last whole frame
	basis   dclone.T // of the last whole frame; -1 where there is none
	mend    bool     // log.idx is not what the log says, and is rebuilt before the first change
}

// Close lets the locks of the files go.
func (w *Writer) Close() error {
	err := w.db.Close()
	if w.idx != nil {
		err = errors.Join(err, w.idx.Close())
	}
	return err
}

// End returns the length of the log in bytes.
func (w *Writer) End() int64 { return w.end }

// Entries returns how many frames the log holds, where log.idx is as it should be.
func (w *Writer) Entries() int64 { return w.entries }

// Basis returns the t of the newest frame, -1 where there is none.
func (w *Writer) Basis() dclone.T { return w.basis }

// Log returns a reader of what is written, through the locked handles. It is good until the next
// write, and need not be closed.
func (w *Writer) Log() *Log {
	l := &Log{db: held{w.db}, path: w.db.Name(), end: w.end, last: w.last, basis: w.basis}
	if !w.mend {
		l.idx, l.entries = held{w.idx}, w.entries
	}
	return l
}

// held is a file that stays open when its reader is closed.
type held struct{ *os.File }

func (held) Close() error { return nil }

// locate finds the last whole frame. It changes nothing: whose bytes lie behind it, if any do,
// is for the caller to say.
func (w *Writer) locate() error {
	info, err := w.db.Stat()
	if err != nil {
		return err
	}
	w.basis = -1
	if info.Size() == 0 && w.loading {
		return nil
	}
	l := &Log{db: held{w.db}, path: w.db.Name()}
	if w.idx != nil {
		l.idx = held{w.idx}
	}
	entries, err := l.countEntries()
	if err != nil {
		return err
	}
	if entries == 0 || l.locateIndexed(entries, info.Size()) != nil || l.end < info.Size() {
		l.distrust()
		*l = Log{db: l.db, path: l.path, basis: -1}
		if err := l.walk(0, info.Size(), false); err != nil && l.end == 0 && !w.loading {
			return err
		}
	}
	w.end, w.last, w.basis, w.entries = l.end, l.last, l.basis, l.entries
	w.mend = !l.Trusts() && w.end > 0
	if l.Trusts() { // but it may lack the last frames
		named, err := l.entry(l.entries - 1)
		w.mend = err != nil || named != l.last
	}
	return nil
}

// rebuildIndex makes log.idx anew from the frames of the log. It takes its name when it is
// whole: Datomic Local believes a short one.
func (w *Writer) rebuildIndex() error {
	name := strings.TrimSuffix(strings.TrimSuffix(w.db.Name(), loadingSuffix), logName) + idxName
	if w.loading {
		name += loadingSuffix
	}
	idx, err := openLocked(name+".new", os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	n, err := w.writeIndex(idx)
	if err == nil {
		err = errors.Join(idx.Sync(), os.Rename(name+".new", name), w.dir.sync())
	}
	if err != nil {
		return errors.Join(fmt.Errorf("rebuild %s: %w", name, err), idx.Close())
	}
	if w.idx != nil {
		w.idx.Close()
	}
	w.idx, w.entries, w.mend = idx, n, false
	return nil
}

// writeIndex writes the offset of every frame to idx and returns how many there are.
func (w *Writer) writeIndex(idx *os.File) (int64, error) {
	s := newScanner(w.db, w.db.Name(), 0, w.end)
	var buf []byte
	n := int64(0)
	for s.Frame() {
		buf = binary.BigEndian.AppendUint64(buf, uint64(s.FrameOffset()))
		if n++; len(buf) >= 64<<10 {
			if _, err := idx.Write(buf); err != nil {
				return n, err
			}
			buf = buf[:0]
		}
	}
	if err := s.Err(); err != nil {
		return n, err
	}
	_, err := idx.Write(buf)
	return n, err
}

// ready makes sure that log.idx names what the log holds.
func (w *Writer) ready() error {
	if w.mend || w.idx == nil {
		return w.rebuildIndex()
	}
	return nil
}

// Append writes frames, given back to back, with their lengths in bytes. While the database can
// be seen it keeps Datomic Local's own order, entry, frame, entry, frame: wherever a crash
// cuts it, log.idx names at most one frame that is not there.
func (w *Writer) Append(frames []byte, lengths []int) error {
	if err := w.ready(); err != nil {
		return err
	}
	if w.loading {
		return w.appendUnseen(frames, lengths)
	}
	for _, n := range lengths {
		entry := binary.BigEndian.AppendUint64(nil, uint64(w.end))
		if _, err := w.idx.WriteAt(entry, w.entries*entrySize); err != nil {
			return err
		}
		if _, err := w.db.WriteAt(frames[:n], w.end); err != nil {
			return err
		}
		if err := w.advance(frames[:n]); err != nil {
			return err
		}
		frames = frames[n:]
	}
	return nil
}

func (w *Writer) appendUnseen(frames []byte, lengths []int) error {
	if _, err := w.db.WriteAt(frames, w.end); err != nil {
		return err
	}
	entries, at := make([]byte, 0, len(lengths)*entrySize), w.entries*entrySize
	for _, n := range lengths {
		entries = binary.BigEndian.AppendUint64(entries, uint64(w.end))
		if err := w.advance(frames[:n]); err != nil {
			return err
		}
		frames = frames[n:]
	}
	_, err := w.idx.WriteAt(entries, at)
	return err
}

func (w *Writer) advance(frame []byte) error {
	h, err := parseHeader(frame)
	if err != nil {
		return fmt.Errorf("append frame: %w", err)
	}
	w.last, w.basis = w.end, h.T
	w.end += int64(len(frame))
	w.entries++
	return nil
}

// Sync makes what was appended durable, log.idx first.
func (w *Writer) Sync() error {
	if err := w.ready(); err != nil {
		return err
	}
	if err := syncData(w.idx); err != nil {
		return fmt.Errorf("sync %s: %w", w.idx.Name(), err)
	}
	if err := syncData(w.db); err != nil {
		return fmt.Errorf("sync %s: %w", w.db.Name(), err)
	}
	return nil
}

// Cut shortens the log to end, a frame border, and log.idx to what names frames before it. What
// was derived from a longer log goes first.
func (w *Writer) Cut(end int64) error {
	if w.end < end {
		return fmt.Errorf("cut %s to %d bytes: it has %d", w.db.Name(), end, w.end)
	}
	if !w.loading {
		if err := w.dir.DropIndex(); err != nil {
			return err
		}
	}
	if err := w.ready(); err != nil {
		return err
	}
	entries, last, basis, err := w.before(end)
	if err != nil {
		return err
	}
	if err := w.idx.Truncate(entries * entrySize); err != nil {
		return err
	}
	if err := w.db.Truncate(end); err != nil {
		return err
	}
	w.end, w.entries, w.last, w.basis = end, entries, last, basis
	return w.Sync()
}

// before finds how many frames end at or before end, and the last of them.
func (w *Writer) before(end int64) (entries, last int64, basis dclone.T, err error) {
	if end == 0 {
		return 0, 0, -1, nil
	}
	l := w.Log()
	lo, hi := int64(0), w.entries
	for lo < hi {
		mid := (lo + hi) / 2
		offset, err := l.entry(mid)
		if err != nil {
			return 0, 0, 0, err
		}
		if offset < end {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return 0, 0, 0, fmt.Errorf("cut %s to %d bytes: no frame ends there", w.db.Name(), end)
	}
	if last, err = l.entry(lo - 1); err != nil {
		return 0, 0, 0, err
	}
	stop, t, err := l.frame(last, end)
	if err == nil && stop != end {
		err = fmt.Errorf("cut %s to %d bytes: no frame ends there", w.db.Name(), end)
	}
	return lo, last, t, err
}

// Torn returns how many bytes lie behind the last whole frame, as a crash leaves them.
func (w *Writer) Torn() (int64, error) {
	info, err := w.db.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size() - w.end, nil
}

// ErrGone says that the log was removed or replaced while it was held open.
var ErrGone = errors.New("the database was deleted or replaced under the lock")

// Check makes sure that the log's name still leads to the file that was written:
// delete-database asks no lock.
func (w *Writer) Check() error {
	name := filepath.Join(w.dir.path, logName)
	if w.loading {
		name += loadingSuffix
	}
	held, err := w.db.Stat()
	if err != nil {
		return err
	}
	if named, err := os.Stat(name); err != nil || !os.SameFile(held, named) {
		return fmt.Errorf("write %s: %w", name, ErrGone)
	}
	return nil
}
