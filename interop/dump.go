package interop

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A Datom is one line of a dump. V is the value in the notation of the package comment.
type Datom struct {
	E, A  int64
	V     string
	Tx    int64
	Added bool
}

func (d Datom) String() string {
	op := "-"
	if d.Added {
		op = "+"
	}
	return fmt.Sprintf("%d %d %s %d %s", d.E, d.A, d.V, d.Tx, op)
}

// A Tx is one transaction of a dumped log, its datoms in the log's order.
type Tx struct {
	T      int64
	Datoms []Datom
}

// Dumps is all that a database says about itself.
type Dumps struct {
	Log     []Tx
	Current []Datom // d/datoms :eavt
	History []Datom // d/datoms :eavt of d/history
	Avet    []Datom // d/datoms :avet of each attribute in turn, by attribute id
}

// Dump connects to a database, unless the JVM has it open, and answers its dumps. The database stays
// open: (release …) lets go of it.
func (j *JVM) Dump(t testing.TB, dir, system, db string) Dumps {
	t.Helper()
	tmp := t.TempDir()
	file := func(name string) string { return Str(filepath.Join(tmp, name)) }
	j.Eval(t, fmt.Sprintf(`
		(let [conn (conn %s %s %s) db (d/db conn)]
		  (dump-tx-range conn %s)
		  (dump-datoms db :eavt %s)
		  (dump-datoms (d/history db) :eavt %s)
		  (dump-avet db %s))`,
		Str(dir), Str(system), Str(db), file("log"), file("eavt"), file("history"), file("avet")))
	return Dumps{
		Log:     readDump(t, filepath.Join(tmp, "log"), ReadLog),
		Current: readDump(t, filepath.Join(tmp, "eavt"), ReadDatoms),
		History: readDump(t, filepath.Join(tmp, "history"), ReadDatoms),
		Avet:    readDump(t, filepath.Join(tmp, "avet"), ReadDatoms),
	}
}

func readDump[T any](t testing.TB, name string, read func(io.Reader) ([]T, error)) []T {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := read(f)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// ReadDatoms reads what dump-datoms wrote.
func ReadDatoms(r io.Reader) ([]Datom, error) {
	var all []Datom
	err := eachLine(r, func(fields []string) (err error) {
		var d Datom
		d, err = parseDatom(fields)
		all = append(all, d)
		return err
	})
	return all, err
}

// ReadLog reads what dump-tx-range wrote.
func ReadLog(r io.Reader) ([]Tx, error) {
	var log []Tx
	missing := 0
	err := eachLine(r, func(fields []string) (err error) {
		if missing == 0 {
			var tx Tx
			tx.T, missing, err = parseTx(fields)
			log = append(log, tx)
			return err
		}
		d, err := parseDatom(fields)
		last := &log[len(log)-1]
		last.Datoms = append(last.Datoms, d)
		missing--
		return err
	})
	if err == nil && missing > 0 {
		err = fmt.Errorf("read dump: %d datoms are missing at its end", missing)
	}
	return log, err
}

func eachLine(r io.Reader, do func(fields []string) error) error {
	br := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := br.ReadString('\n')
		if err == io.EOF && line == "" {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read dump: line %d: %w", n, err)
		}
		if err := do(strings.Split(strings.TrimSuffix(line, "\n"), " ")); err != nil {
			return fmt.Errorf("read dump: line %d: %w", n, err)
		}
	}
}

func parseTx(fields []string) (t int64, count int, err error) {
	if len(fields) != 3 || fields[0] != "t" {
		return 0, 0, fmt.Errorf("%q does not begin a transaction", fields)
	}
	if t, err = strconv.ParseInt(fields[1], 10, 64); err != nil {
		return 0, 0, err
	}
	count, err = strconv.Atoi(fields[2])
	return t, count, err
}

// A txID is a line of the dump of them.
type txID struct {
	t    int64
	uuid string
}

func readIDs(r io.Reader) (ids []txID, err error) {
	err = eachLine(r, func(fields []string) (err error) {
		if len(fields) != 2 {
			return fmt.Errorf("%q is no t and uuid", fields)
		}
		t, err := strconv.ParseInt(fields[0], 10, 64)
		ids = append(ids, txID{t, fields[1]})
		return err
	})
	return ids, err
}

// parseDatom reads e, a, v, tx, op. Only a value with elements holds spaces.
func parseDatom(fields []string) (d Datom, err error) {
	n := len(fields)
	if n < 5 || fields[n-1] != "+" && fields[n-1] != "-" {
		return d, fmt.Errorf("%q is no datom", fields)
	}
	for _, x := range []struct {
		to   *int64
		from string
	}{{&d.E, fields[0]}, {&d.A, fields[1]}, {&d.Tx, fields[n-2]}} {
		if *x.to, err = strconv.ParseInt(x.from, 10, 64); err != nil {
			return d, err
		}
	}
	d.V, d.Added = strings.Join(fields[2:n-2], " "), fields[n-1] == "+"
	return d, nil
}
