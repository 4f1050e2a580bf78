package kvs

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"dclone"
	"dclone/edn"
	"dclone/store"
)

// emptyGarbage is a garbage root without garbage, in fressian, byte for byte as Datomic writes it.
const emptyGarbage = "\xef\xe3\x0cgarbage-root\x01\xef\xdd" + "vec\x01\xf7\xcf\xcf\xcf\xcf\x00\x00\x00\x17\xea\x02\x0d\xef"

// peerVersion is the version of Datomic whose rows these are.
const peerVersion = "7277"

// CheckName reports whether a database may be restored under a name: a new one under a new name, one
// that is there under its own. The error is a [*CollisionError], where it may not.
func (s *Storage) CheckName(ctx context.Context, name, databaseID string) error {
	c, err := s.catalog(ctx)
	if err != nil {
		return err
	}
	_, _, err = c.with(name, databaseID)
	return err
}

// checkName refuses what Datomic refuses.
func checkName(name string) error {
	if name == "" || strings.ContainsAny(name, `"*:=/?`) {
		return &CollisionError{Words: ":restore/invalid-db-name The name '" + name + "' is an invalid name"}
	}
	return nil
}

// Publish makes a root that of a database, under the name it has or under a new one, all at once: who
// reads the storage sees the database as it was or as it is then. The segments must be there. A database
// that somebody writes to at the same time is damaged by this; [Storage.Alive] tells.
func (s *Storage) Publish(ctx context.Context, name string, root store.Root) error {
	err := checkRoot(root)
	if err == nil {
		err = s.write(ctx, func(tx pgx.Tx) error { return publish(ctx, tx, name, root) })
	}
	var collision *CollisionError
	if errors.As(err, &collision) {
		return collision
	}
	if err != nil {
		return fmt.Errorf("publish %s in %v: %w", name, s, explained(err))
	}
	return nil
}

func checkRoot(root store.Root) error {
	id := root.DatabaseID
	odd := func(r rune) bool { return r == '"' || r == '\\' || unicode.IsControl(r) }
	if id == "" || len(id) > 1024 || !utf8.ValidString(id) || strings.ContainsFunc(id, odd) {
		return fmt.Errorf("%q is no id of a database", id)
	}
	if !segmentID.MatchString(root.Index) || !segmentID.MatchString(root.Log) {
		return fmt.Errorf("its roots %q and %q are no ids of segments", root.Index, root.Log)
	}
	return nil
}

func publish(ctx context.Context, tx pgx.Tx, name string, root store.Root) error {
	d := &Database{id: root.DatabaseID}
	revs, err := lock(ctx, tx, catalogPod, gcRef(d.id), d.indexRef(), d.tailPod())
	if err != nil {
		return err
	}
	if err := present(ctx, tx, root.Index, root.Log); err != nil {
		return err
	}
	if err := enter(ctx, tx, revs, name, d.id); err != nil {
		return err
	}
	garbage, err := insert(ctx, tx, packed(emptyGarbage))
	if err != nil {
		return err
	}
	tail, err := insert(ctx, tx, root.Tail)
	if err != nil {
		return err
	}
	for _, row := range []struct {
		id  string
		say edn.Map
	}{
		{gcRef(d.id), edn.Map{{Key: dclone.Kw("", "key"), Value: garbage}}},
		{d.indexRef(), edn.Map{{Key: dclone.Kw("", "key"), Value: root.Index}}},
		{d.tailPod(), edn.Map{
			{Key: dclone.Kw("d", "r"), Value: root.Log}, {Key: dclone.Kw("d", "v"), Value: peerVersion},
			{Key: dclone.Kw("d", "l"), Value: int64(maxLog)}, {Key: dclone.Kw("", "tail"), Value: tail},
		}},
	} {
		if err := set(ctx, tx, revs, row.id, row.say); err != nil {
			return err
		}
	}
	return nil
}

// lock keeps others from changing rows before the transaction ends, and answers the revs of those that
// are there.
func lock(ctx context.Context, tx pgx.Tx, ids ...string) (map[string]*int32, error) {
	rows, err := tx.Query(ctx, `select id, rev from datomic_kvs where id = any($1) order by id for update`, ids)
	if err != nil {
		return nil, err
	}
	revs := map[string]*int32{}
	var id string
	var rev *int32
	_, err = pgx.ForEachRow(rows, []any{&id, &rev}, func() error {
		revs[id] = rev
		return nil
	})
	return revs, err
}

// present reports a segment that is not there.
func present(ctx context.Context, tx pgx.Tx, ids ...string) error {
	for _, id := range ids {
		var has bool
		err := tx.QueryRow(ctx, `select exists (select from datomic_kvs where id = $1 and val is not null)`, id).Scan(&has)
		if err != nil {
			return err
		}
		if !has {
			return fmt.Errorf("segment %s: %w", id, store.ErrMissing)
		}
	}
	return nil
}

// enter puts the database into the catalog, if it is not there.
func enter(ctx context.Context, tx pgx.Tx, revs map[string]*int32, name, id string) error {
	c, err := readCatalog(ctx, tx)
	if err != nil {
		return err
	}
	c, added, err := c.with(name, id)
	if err != nil || !added {
		return err
	}
	piece, err := insert(ctx, tx, edn.Append(nil, edn.Map(c)))
	if err != nil {
		return err
	}
	return set(ctx, tx, revs, catalogPod, edn.Map{{Key: dclone.Kw("", "tail"), Value: piece}})
}

// insert puts bytes under an id that is new, and answers it.
func insert(ctx context.Context, tx pgx.Tx, val []byte) (string, error) {
	id := newID()
	if val == nil {
		val = []byte{}
	}
	_, err := tx.Exec(ctx, `insert into datomic_kvs (id, rev, map, val) values ($1, null, '{}', $2)`, id, val)
	return id, err
}

// set changes a row that is locked: from rev n to rev n+1, or from no row to rev 0.
func set(ctx context.Context, tx pgx.Tx, revs map[string]*int32, id string, say edn.Map) error {
	text := string(edn.Append(nil, say))
	old, ok := revs[id]
	if !ok {
		_, err := tx.Exec(ctx, `insert into datomic_kvs (id, rev, map, val) values ($1, 0, $2, null)`, id, text)
		return err
	}
	tag, err := tx.Exec(ctx, `update datomic_kvs set rev = coalesce(rev, 0) + 1, map = $2, val = null
		where id = $1 and rev is not distinct from $3`, id, text, old)
	if err == nil && tag.RowsAffected() != 1 {
		err = fmt.Errorf("row %s has changed", id)
	}
	return err
}

// newID returns a uuid that begins with the time in seconds, as Datomic's do.
func newID() string {
	var b [16]byte
	rand.Read(b[:])
	binary.BigEndian.PutUint32(b[:], uint32(time.Now().Unix()))
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func packed(raw string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(raw)) // neither this nor Close fails on a buffer
	w.Close()
	return b.Bytes()
}
