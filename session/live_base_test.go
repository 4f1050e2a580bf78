package session_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/datomic/local"
	destlive "dclone/dest/live"
	"dclone/fressian"
	"dclone/historytest"
	"dclone/interop"
	"dclone/session"
)

// lastOld is the last transaction of the bootstrap that databases were born with before there were tuples, attribute
// predicates, entity specs and symbols. What younger ones are born with begins with the same.
const lastOld dclone.T = 3

// release has the child close the clone, so that another can serve it, or its log be written to.
func (s *liveServer) release(t testing.TB, p *livePair) {
	code := fmt.Sprintf(`(require 'datomic.local) (datomic.local/release-db {:storage-dir %q :system "dev" :db-name "clone"})`, p.storage)
	require.NoError(t, s.child.Load(context.Background(), "release.clj", code))
}

// makeOld puts a database of the old base schema in place of an empty one.
func (p *livePair) makeOld(t testing.TB) {
	txs, err := historytest.Split(local.Bootstrap())
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(p.dir()))
	require.NoError(t, os.MkdirAll(p.dir(), 0o777))
	for _, name := range []string{".lock", "db.log", "log.idx"} {
		require.NoError(t, os.WriteFile(filepath.Join(p.dir(), name), nil, 0o666))
	}
	for _, tx := range txs[:lastOld+1] {
		p.append(t, tx.T, tx.Datoms)
	}
}

// append writes a transaction to the clone's log, which nobody has open.
func (p *livePair) append(t testing.TB, at dclone.T, datoms []dclone.Datom) {
	appendTx(t, p.dir(), at, datoms)
}

// appendTx writes a transaction to a log that nobody has open.
func appendTx(t testing.TB, dir string, at dclone.T, datoms []dclone.Datom) {
	log := filepath.Join(dir, "db.log")
	info, err := os.Stat(log)
	require.NoError(t, err)
	frame, err := local.AppendFrame(nil, at, datoms)
	require.NoError(t, err)
	appendFile(t, filepath.Join(dir, "log.idx"), binary.BigEndian.AppendUint64(nil, uint64(info.Size())))
	appendFile(t, log, frame)
}

// instantDatom is the instant of a transaction.
func instantDatom(t testing.TB, at dclone.T, instant time.Time) dclone.Datom {
	v, err := fressian.Append(nil, dclone.Instant(instant.UnixMilli()))
	require.NoError(t, err)
	return dclone.Datom{E: dclone.TxID(at), A: 50, V: v, Added: true}
}

func appendFile(t testing.TB, path string, b []byte) {
	old, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(old, b...), 0o666))
}

// upgrade does to the log what Datomic Cloud does where it upgrades a base schema, which Datomic Local does not: a
// transaction brings what is missing, under the next ids.
func (p *livePair) upgrade(t testing.TB) {
	db := historytest.Read(t, p.dir())
	at := db.Txs[len(db.Txs)-1].T + 1
	next := dclone.EntityID(0)
	for _, tx := range db.Txs {
		for _, d := range tx.Datoms {
			if d.E.Partition() == dclone.PartDB {
				next = max(next, d.E+1)
			}
		}
	}
	datoms := []dclone.Datom{instantDatom(t, at, time.Now())}
	ids := map[dclone.EntityID]dclone.EntityID{}
	clone := func(e dclone.EntityID) dclone.EntityID {
		if e < 64 || e.Partition() != dclone.PartDB {
			return e
		}
		if _, ok := ids[e]; !ok {
			ids[e] = next
			next++
		}
		return ids[e]
	}
	born := historytest.Read(t, p.src)
	for _, tx := range born.Txs[lastOld+1 : 6] {
		for _, d := range tx.Datoms[1:] {
			d.E, d.A = clone(d.E), clone(d.A)
			if id, n, ok := fressian.Int(d.V); ok && n == len(d.V) {
				d.V = fressian.AppendInt(nil, int64(clone(dclone.EntityID(id))))
			}
			datoms = append(datoms, d)
		}
	}
	p.append(t, at, datoms)
}

// values returns what the user's attributes that hold no refs have in a database, by their names.
func values(t testing.TB, dir string) map[string]int {
	db, all := historytest.Read(t, dir), map[string]int{}
	for f, n := range db.Facts() {
		if name := db.Name[f.A]; !name.IsReserved() && name.Namespace != "fressian" && n > 0 {
			all[fmt.Sprintf("%v % x", name, f.V)]++
		}
	}
	return all
}

// oldSources makes a database whose first state needs nothing that is missing in an old base schema.
func oldSources(t testing.TB, jvm *interop.JVM) (before, after string) {
	dir := t.TempDir()
	db := interop.Str(dir) + ` "dev" "source"`
	at := filepath.Join(dir, "dev", "source")
	tx := func(data string) { jvm.Eval(t, fmt.Sprintf(`(do (tx! (reopen %s) %s) (release %[1]s))`, db, data)) }
	jvm.Eval(t, `(do (create `+db+`) (release `+db+`))`)
	tx(`[{:db/ident :a/name :db/valueType :db.type/string :db/cardinality :db.cardinality/one :db/unique :db.unique/identity}
	     {:db/ident :a/n :db/valueType :db.type/long :db/cardinality :db.cardinality/one}]`)
	tx(`[{:a/name "one" :a/n 1} {:a/name "two" :a/n 2}]`)
	before = filepath.Join(t.TempDir(), "source")
	copyDir(t, at, before)
	tx(`[{:a/name "three" :a/n 3}]`)
	tx(`[{:db/ident :a/pair :db/valueType :db.type/tuple :db/tupleAttrs [:a/name :a/n] :db/cardinality :db.cardinality/one}
	     {:db/ident :a/sym :db/valueType :db.type/symbol :db/cardinality :db.cardinality/one}]`)
	tx(`[{:a/name "four" :a/n 4 :a/sym 'four}]`)
	return before, at
}

// A destination that was born before tuples takes a source without them. One with them stops before anything is written,
// until the base schema was upgraded.
func TestLiveBaseSchema(t *testing.T) {
	s := newLiveServer(t)
	before, after := oldSources(t, s.jvm)
	t.Run("first copy", func(t *testing.T) {
		p := s.pair(t, after)
		p.makeOld(t)
		was, err := os.ReadFile(filepath.Join(p.dir(), "db.log"))
		require.NoError(t, err)
		_, err = p.sync(session.Options{})
		requireMissing(t, err, ":db.type/symbol", ":db.type/tuple", ":db/tupleAttrs")
		require.Contains(t, err.Error(), `(d/administer-system client {:db-name "clone" :action :upgrade-schema})`)

		_, err = p.sync(session.Options{UpgradeSchema: true})
		missing := requireMissing(t, err, ":db.type/symbol", ":db.type/tuple", ":db/tupleAttrs")
		require.True(t, missing.Made, "Datomic Local upgrades nothing, and says nothing of it")
		is, err := os.ReadFile(filepath.Join(p.dir(), "db.log"))
		require.NoError(t, err)
		require.True(t, bytes.Equal(was, is), "something was written")

		s.release(t, p)
		p.upgrade(t)
		p.must(t, session.Options{})
		require.Equal(t, values(t, after), values(t, p.dir()))
		require.Equal(t, session.UpToDate, p.must(t, session.Options{}).Status)
	})
	t.Run("catch-up", func(t *testing.T) {
		p := s.pair(t, before)
		p.makeOld(t)
		require.Empty(t, p.must(t, session.Options{}).Session.NotCarried)
		require.Equal(t, values(t, before), values(t, p.dir()))
		p.src = after
		_, err := p.sync(session.Options{})
		requireMissing(t, err, ":db.type/tuple")
		s.release(t, p)
		p.upgrade(t)
		r := p.must(t, session.Options{})
		require.Equal(t, values(t, after), values(t, p.dir()))
		for _, n := range r.Session.NotCarried {
			require.Equal(t, destlive.ReasonLater, n.Reason, "the upgrade is younger than what is replayed behind it")
		}
		require.NotEmpty(t, r.Session.NotCarried)
		require.Equal(t, session.UpToDate, p.must(t, session.Options{}).Status)
	})
	t.Run("on request", func(t *testing.T) {
		p := s.pair(t, before)
		p.makeOld(t)
		p.must(t, session.Options{})
		p.src = after
		upgraded, connect := 0, p.opt.Connect
		p.opt.Connect = func(ctx context.Context) (*destlive.Connection, error) {
			conn, err := connect(ctx)
			if err == nil {
				conn.Upgrade = func(context.Context) error {
					s.release(t, p)
					p.upgrade(t)
					upgraded++
					return nil
				}
			}
			return conn, err
		}
		var said []string
		p.must(t, session.Options{UpgradeSchema: true, Log: func(line string) { said = append(said, line) }})
		require.Equal(t, 1, upgraded)
		require.Len(t, said, 1)
		require.Contains(t, said[0], "instants before now can no longer be kept")
		require.Equal(t, values(t, after), values(t, p.dir()))
		require.Equal(t, session.UpToDate, p.must(t, session.Options{}).Status)
	})
}

func requireMissing(t testing.TB, err error, names ...string) *session.BaseSchemaError {
	t.Helper()
	var missing *session.BaseSchemaError
	require.ErrorAs(t, err, &missing)
	var inDest *dclone.DestError
	require.ErrorAs(t, err, &inDest)
	var have []string
	for _, kw := range missing.Missing {
		have = append(have, kw.String())
	}
	require.Equal(t, strings.Join(names, " "), strings.Join(have, " "))
	return missing
}
