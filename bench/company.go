//go:build unix

package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"

	"github.com/google/uuid"

	"dclone"
	"dclone/datomic/local"
	"dclone/fressian"
)

// A company writes the database of a growing company: people, each with ten datoms, managed by
// people who came before.
type company struct {
	w      *local.Writer
	rnd    *rand.Rand
	t      dclone.T
	eidx   int64
	people []dclone.EntityID
	frames []byte
	sizes  []int
	buf    []dclone.Datom
}

const attrFirst = local.FirstEidx

var attributes = []struct {
	name   string
	typ    int64 // entity of :db.type/…
	unique int64
}{
	{"id", 54, 38}, {"name", 23, 0}, {"email", 23, 37}, {"age", 22, 0}, {"active", 24, 0},
	{"joined", 25, 0}, {"role", 21, 0}, {"manager", 20, 0}, {"salary", 58, 0}, {"city", 23, 0},
}

// generate makes a database of people in dir, and after it txs small transactions.
func generate(dir string, people int) error {
	c, done, err := openCompany(dir, true)
	if err != nil {
		return err
	}
	if err := c.schema(); err != nil {
		return err
	}
	for n := 0; n < people; n += 500 {
		if err := c.hire(min(500, people-n)); err != nil {
			return err
		}
	}
	return done()
}

// grow adds txs small transactions to the database in dir.
func grow(dir string, txs int) error {
	c, done, err := openCompany(dir, false)
	if err != nil {
		return err
	}
	c.eidx = 1<<30 + int64(c.t) // one new person a transaction, above all others
	for range txs {
		if err := c.small(); err != nil {
			return err
		}
	}
	return done()
}

func openCompany(dir string, fresh bool) (*company, func() error, error) {
	d, err := local.LockDir(dir)
	if err != nil {
		return nil, nil, err
	}
	c := &company{rnd: rand.New(rand.NewPCG(1, 2)), eidx: local.FirstEidx}
	if fresh {
		c.w, err = d.Load()
		if err == nil {
			b := local.Bootstrap()
			err = c.w.Append(b, local.FrameLengths(b))
		}
	} else {
		c.w, err = d.Open()
	}
	if err != nil {
		return nil, nil, err
	}
	c.t = c.w.Basis() + 1
	return c, func() error {
		if err := c.flush(0); err != nil {
			return err
		}
		if err := c.w.Sync(); err != nil {
			return err
		}
		if fresh {
			if err := d.Publish(c.w); err != nil {
				return err
			}
		}
		return d.Close()
	}, nil
}

func (c *company) add(e, a dclone.EntityID, v any) {
	b, err := fressian.Append(nil, v)
	if err != nil {
		panic(err)
	}
	c.buf = append(c.buf, dclone.Datom{E: e, A: a, V: b, Added: true})
}

func instantOf(t dclone.T) dclone.Instant { return dclone.Instant(1_600_000_000_000 + int64(t)*1000) }

// commit ends a transaction. Its first datom, made here, is its instant.
func (c *company) commit() error {
	instant := instantOf(c.t)
	first := dclone.Datom{E: dclone.TxID(c.t), A: local.AttrTxInstant, V: local.AppendInstant(nil, instant), Added: true}
	n := len(c.frames)
	var err error
	if c.frames, err = local.AppendTx(c.frames, c.t, first, c.buf); err != nil {
		return err
	}
	c.sizes = append(c.sizes, len(c.frames)-n)
	c.t++
	c.buf = c.buf[:0]
	return c.flush(1 << 20)
}

func (c *company) flush(atLeast int) error {
	if len(c.frames) < max(atLeast, 1) {
		return nil
	}
	err := c.w.Append(c.frames, c.sizes)
	c.frames, c.sizes = c.frames[:0], c.sizes[:0]
	return err
}

func (c *company) schema() error {
	for i, a := range attributes {
		e := dclone.EntityID(attrFirst + i)
		c.add(e, 10, dclone.Kw("person", a.name))
		c.add(e, 40, a.typ)
		c.add(e, 41, int64(35))
		if a.unique != 0 {
			c.add(e, 42, a.unique)
		}
	}
	for i := range attributes {
		c.add(0, local.AttrInstallAttribute, int64(attrFirst+i))
	}
	return c.commit()
}

func (c *company) newPerson(p dclone.Partition) dclone.EntityID {
	e := dclone.MakeEntityID(p, c.eidx)
	c.eidx++
	return e
}

var cities = []string{"Aachen", "Bordeaux", "Cardiff", "Delft", "Esbjerg", "Firenze", "Gdańsk", "Helsinki"}

// hire transacts n people, all ten datoms each.
func (c *company) hire(n int) error {
	p := dclone.Partition(17 + c.rnd.IntN(7) + len(c.people)*10/61000)
	var id [16]byte
	for range n {
		e := c.newPerson(p)
		binary.BigEndian.PutUint64(id[:], c.rnd.Uint64())
		binary.BigEndian.PutUint64(id[8:], c.rnd.Uint64())
		c.add(e, attrFirst, uuid.UUID(id))
		c.add(e, attrFirst+1, fmt.Sprintf("Person %d of %s", c.eidx, cities[c.rnd.IntN(len(cities))]))
		c.add(e, attrFirst+2, fmt.Sprintf("p%d@example.com", c.eidx))
		c.add(e, attrFirst+3, int64(18+c.rnd.IntN(50)))
		c.add(e, attrFirst+4, c.rnd.IntN(10) > 0)
		c.add(e, attrFirst+5, dclone.Instant(1_500_000_000_000+c.rnd.Int64N(1e11)))
		c.add(e, attrFirst+6, dclone.Kw("role", []string{"engineer", "sales", "support"}[c.rnd.IntN(3)]))
		if len(c.people) > 0 {
			c.add(e, attrFirst+7, int64(c.people[c.rnd.IntN(len(c.people))]))
		} else {
			c.add(e, attrFirst+7, int64(e))
		}
		c.add(e, attrFirst+8, 1000+c.rnd.Float64()*9000)
		c.add(e, attrFirst+9, cities[c.rnd.IntN(len(cities))])
		c.people = append(c.people, e)
	}
	return c.commit()
}

// small transacts six datoms: a new person with a name and a manager, who moves to a city; the one before moves on.
func (c *company) small() error {
	e := c.newPerson(dclone.Partition(17 + c.rnd.IntN(7)))
	c.add(e, attrFirst+1, fmt.Sprintf("Newcomer %d", c.eidx))
	if n := len(c.people); n > 0 {
		manager := c.people[n-1]
		c.add(e, attrFirst+7, int64(manager))
		c.add(manager, attrFirst+9, fmt.Sprintf("City %d", c.t))
		if n > 1 {
			old, _ := fressian.Append(nil, fmt.Sprintf("City %d", c.t-1))
			c.buf = append(c.buf, dclone.Datom{E: c.people[n-2], A: attrFirst + 9, V: old})
			c.add(c.people[n-2], attrFirst+9, "nowhere")
		}
	}
	c.people = append(c.people, e)
	return c.commit()
}

func logPath(dir string) string { return filepath.Join(dir, "db.log") }
