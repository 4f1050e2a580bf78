package state

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"dclone"
	"dclone/eidmap"
)

var (
	// ErrNone says that there is no sidecar.
	ErrNone = errors.New("no sidecar")
	// ErrLocked says that another run has the sidecar open.
	ErrLocked = errors.New("another run has it open")
)

var (
	bucketMeta   = []byte("meta")
	bucketSchema = []byte("schema")

	keySession  = []byte("session")
	keyPosition = []byte("position")
	keyIntent   = []byte("intent")
)

// A Store is an open sidecar. One process has it open at a time.
type Store struct {
	path  string
	db    *bbolt.DB
	cache *eidmap.Cache
}

// Create makes a sidecar for a clone that is yet to be written. It fails where there is one.
func Create(path string, s Session, p Position) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	// Built under another name, so that a crash leaves no sidecar without a session; one of its own, so that of
	// two runs that begin at once one gets the place.
	building, err := buildingName(path)
	if err != nil {
		return nil, fmt.Errorf("create sidecar %s: %w", path, err)
	}
	st, err := open(building, 0o600, false)
	if err != nil {
		return nil, err
	}
	err = st.Update(func(tx *Tx) error {
		for _, name := range [][]byte{bucketMeta, bucketSchema} {
			if _, err := tx.tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return errors.Join(eidmap.Create(tx.tx), tx.SetSession(s), tx.SetPosition(p))
	})
	if err == nil {
		if err = os.Link(building, path); errors.Is(err, fs.ErrExist) {
			err = ErrLocked // another run has made it just now
		}
	}
	err = errors.Join(err, os.Remove(building))
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create sidecar %s: %w", path, err), st.Close())
	}
	st.path = path
	return st, nil
}

// buildingSuffix ends, with a number behind it, the name of a sidecar that is being built.
const buildingSuffix = ".new"

// buildingName returns the name of an empty file, and removes what runs have left that were killed while they built theirs.
func buildingName(path string) (string, error) {
	for _, rest := range Rests(path) {
		if info, err := os.Lstat(rest); err == nil && time.Since(info.ModTime()) > time.Minute {
			_ = os.Remove(rest) // it does no harm
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+buildingSuffix)
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

// Rests returns the files that are beside a sidecar because one is being built, or was when its run was killed.
func Rests(path string) []string {
	entries, _ := os.ReadDir(filepath.Dir(path))
	var rests []string
	for _, e := range entries {
		if digits, ok := strings.CutPrefix(e.Name(), filepath.Base(path)+buildingSuffix); ok && strings.Trim(digits, "0123456789") == "" && e.Type().IsRegular() {
			rests = append(rests, filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
	return rests
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// Open opens the sidecar at path. The error wraps ErrNone where there is none, ErrLocked where
// another process has it open.
func Open(path string) (*Store, error) { return openExisting(path, false) }

// OpenRead opens the sidecar for View alone. Several processes may have it open so.
func OpenRead(path string) (*Store, error) { return openExisting(path, true) }

func openExisting(path string, readOnly bool) (*Store, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open sidecar %s: %w", path, ErrNone)
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return nil, fmt.Errorf("open sidecar %s: %w", path, errNoSidecar)
	}
	s, err := open(path, 0, readOnly)
	if err != nil {
		return nil, err
	}
	session, err := s.Session()
	if err == nil && session.Version != Version {
		err = fmt.Errorf("it is of version %d; this program knows %d", session.Version, Version)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("open sidecar %s: %w", path, err)
	}
	return s, nil
}

var errNoSidecar = errors.New("the file is not a sidecar of dclone")

// lockWait is how long Open waits for another process, which may only be looking.
const lockWait = time.Second

func open(path string, mode os.FileMode, readOnly bool) (s *Store, err error) {
	defer guard(&err)()
	// The freelist is kept in the file: without it bbolt reads every page at each start.
	db, err := bbolt.Open(path, mode, &bbolt.Options{
		Timeout: lockWait, FreelistType: bbolt.FreelistMapType, ReadOnly: readOnly})
	if errors.Is(err, berrors.ErrTimeout) {
		err = ErrLocked
	}
	if errors.Is(err, berrors.ErrInvalid) || errors.Is(err, berrors.ErrVersionMismatch) || errors.Is(err, berrors.ErrChecksum) {
		err = fmt.Errorf("%w (%w)", errNoSidecar, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open sidecar %s: %w", path, err)
	}
	return &Store{path: path, db: db, cache: new(eidmap.Cache)}, nil
}

// guard makes an error of what bbolt answers damage with: a panic, or a fault where the file is
// shorter than its own pages say. It is to be deferred as guard(&err)().
func guard(err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if r := recover(); r != nil {
			*err = fmt.Errorf("read sidecar: it is damaged (%v)", r)
		}
	}
}

// Close closes the sidecar.
func (s *Store) Close() error { return s.db.Close() }

// Path returns the name of the sidecar's file.
func (s *Store) Path() string { return s.path }

// View calls f with a transaction that changes nothing.
func (s *Store) View(f func(*Tx) error) (err error) {
	defer guard(&err)()
	return s.db.View(func(tx *bbolt.Tx) error { return f(&Tx{tx, s.cache}) })
}

// Update calls f with a transaction that becomes durable, whole, when f returns nil.
func (s *Store) Update(f func(*Tx) error) (err error) {
	defer func() {
		if err != nil {
			*s.cache = eidmap.Cache{} // it may hold what was not committed
		}
	}()
	defer guard(&err)()
	return s.db.Update(func(tx *bbolt.Tx) error { return f(&Tx{tx, s.cache}) })
}

// Session returns the session.
func (s *Store) Session() (v Session, err error) {
	return v, s.View(func(tx *Tx) error { return tx.get(keySession, &v) })
}

// Position returns the position.
func (s *Store) Position() (v Position, err error) {
	return v, s.View(func(tx *Tx) error { return tx.get(keyPosition, &v) })
}

// Intent returns the intent, nil where there is none.
func (s *Store) Intent() (v *Intent, err error) {
	return v, s.View(func(tx *Tx) error {
		b := tx.tx.Bucket(bucketMeta).Get(keyIntent)
		if b == nil {
			return nil
		}
		v = new(Intent)
		return v.decode(bytes.Clone(b))
	})
}

// A Tx is a transaction of the sidecar.
type Tx struct {
	tx    *bbolt.Tx
	cache *eidmap.Cache
}

func (t *Tx) get(key []byte, v any) error {
	b := t.tx.Bucket(bucketMeta)
	if b == nil {
		return errNoSidecar
	}
	if err := json.Unmarshal(b.Get(key), v); err != nil {
		return fmt.Errorf("read %s: %w", key, err)
	}
	return nil
}

func (t *Tx) put(key []byte, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return t.tx.Bucket(bucketMeta).Put(key, b)
}

// SetSession replaces the session.
func (t *Tx) SetSession(s Session) error { return t.put(keySession, s) }

// SetPosition replaces the position.
func (t *Tx) SetPosition(p Position) error { return t.put(keyPosition, p) }

// SetIntent keeps the intent, until Commit.
func (t *Tx) SetIntent(i *Intent) error {
	return t.tx.Bucket(bucketMeta).Put(keyIntent, i.encode())
}

// DropIntent forgets the intent.
func (t *Tx) DropIntent() error { return t.tx.Bucket(bucketMeta).Delete(keyIntent) }

// Map returns the entity-id map.
func (t *Tx) Map() (*eidmap.Map, error) { return eidmap.In(t.tx, t.cache) }

// ClearMap makes the entity-id map empty.
func (t *Tx) ClearMap() error {
	*t.cache = eidmap.Cache{}
	return eidmap.Create(t.tx)
}

// AddSchema appends datoms to the source's schema.
func (t *Tx) AddSchema(datoms []dclone.Datom) error {
	b := t.tx.Bucket(bucketSchema)
	for _, d := range datoms {
		n, err := b.NextSequence()
		if err != nil {
			return err
		}
		if err := b.Put(binary.BigEndian.AppendUint64(nil, n), appendDatom(nil, d)); err != nil {
			return err
		}
	}
	return nil
}

// ClearSchema makes the source's schema empty.
func (t *Tx) ClearSchema() error {
	if err := t.tx.DeleteBucket(bucketSchema); err != nil {
		return err
	}
	_, err := t.tx.CreateBucket(bucketSchema)
	return err
}

// Schema calls f with the schema datoms of one source transaction after another.
func (t *Tx) Schema(f func([]dclone.Datom) error) error {
	var txn []dclone.Datom
	err := t.tx.Bucket(bucketSchema).ForEach(func(_, v []byte) error {
		d, rest, err := readDatom(v)
		if err != nil || len(rest) > 0 {
			return errors.Join(err, errDatom)
		}
		if len(txn) > 0 && txn[0].Tx != d.Tx {
			if err := f(txn); err != nil {
				return err
			}
			txn = txn[:0]
		}
		txn = append(txn, d)
		return nil
	})
	if err != nil || len(txn) == 0 {
		return err
	}
	return f(txn)
}
