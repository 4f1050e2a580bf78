package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dclone"
	"dclone/edn"
)

const (
	rootPrefix  = "db-root-"
	rootTmp     = "tmp-db-root"
	indexPrefix = "index-"
)

// indexNames are the four index files, in the order in which a root names them.
var indexNames = []string{"eavt", "aevt", "avet", "vaet"}

// A Root says which index files count, and how far they go.
type Root struct {
	T        dclone.T // of the last transaction that the index files have
	NextEidx int64    // one more than the largest eidx up to T
}

func (r Root) name() string { return fmt.Sprintf("%s%010d", rootPrefix, r.T) }

func (r Root) files() []string {
	var files []string
	for _, name := range indexNames {
		files = append(files, fmt.Sprintf("%s%s-%d", indexPrefix, name, r.T))
	}
	return files
}

// text returns what Datomic Local itself would write.
func (r Root) text() []byte {
	b := fmt.Appendf(nil, "{:t %d, :nextEidx %d", r.T, r.NextEidx)
	for i, file := range r.files() {
		b = fmt.Appendf(b, ", :%s %q", indexNames[i], file)
	}
	return append(b, '}')
}

// ReadRoot returns the newest root in a database's directory. It is not ok where there is none,
// or none with index files: an imported database is born with such a root.
func ReadRoot(dir string) (r Root, ok bool, err error) {
	name, err := newestRoot(dir)
	if err != nil || name == "" {
		return r, false, err
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return r, false, err
	}
	v, err := edn.Parse(b)
	if err != nil {
		return r, false, fmt.Errorf("read %s: %w", filepath.Join(dir, name), err)
	}
	m, isMap := v.(edn.Map)
	if !isMap {
		return r, false, fmt.Errorf("read %s: it is not a map", filepath.Join(dir, name))
	}
	t, _ := m.Get(dclone.Kw("", "t"))
	next, _ := m.Get(dclone.Kw("", "nextEidx"))
	tn, ok1 := t.(int64)
	nextN, ok2 := next.(int64)
	r = Root{T: dclone.T(tn), NextEidx: nextN}
	if !ok1 || !ok2 {
		return Root{}, false, nil
	}
	ok, err = r.complete(dir, m)
	return r, ok, err
}

// complete reports whether m names the index files of r, and they are there.
func (r Root) complete(dir string, m edn.Map) (bool, error) {
	for i, file := range r.files() {
		if named, _ := m.Get(dclone.Kw("", indexNames[i])); named != file {
			return false, nil
		}
		if _, err := os.Stat(filepath.Join(dir, file)); errors.Is(err, fs.ErrNotExist) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	}
	return true, nil
}

// newestRoot returns the name of the root that counts, the last of all in order of their names;
// "" where there is none.
func newestRoot(dir string) (string, error) {
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return "", err
	}
	for _, e := range slices.Backward(entries) {
		if strings.HasPrefix(e.Name(), rootPrefix) && !e.IsDir() {
			return e.Name(), nil
		}
	}
	return "", nil
}

// IndexT returns the t up to which the index files of the database in a directory go. It is not
// ok where there is no index.
func IndexT(dir string) (t dclone.T, ok bool, err error) {
	r, ok, err := ReadRoot(dir)
	return r.T, ok, err
}

// IndexT returns the t up to which the index files go. It is not ok where there is no index.
func (d *Dir) IndexT() (t dclone.T, ok bool, err error) { return IndexT(d.path) }

// WriteRoot makes the index files that BuildIndex has written those that count, durably, and
// removes all others.
func (d *Dir) WriteRoot(r Root) error {
	for _, file := range r.files() {
		if _, err := os.Stat(filepath.Join(d.path, file)); err != nil {
			return fmt.Errorf("write %s: %w", r.name(), err)
		}
	}
	newest, err := newestRoot(d.path)
	if err != nil {
		return err
	}
	if newest > r.name() {
		return fmt.Errorf("write %s: there is %s already", r.name(), newest)
	}
	tmp := filepath.Join(d.path, rootTmp)
	if err := writeSynced(tmp, r.text()); err != nil {
		return err
	}
	if err := os.Rename(tmp, filepath.Join(d.path, r.name())); err != nil {
		return err
	}
	if err := d.sync(); err != nil {
		return err
	}
	return d.removeOthers(r)
}

func writeSynced(path string, b []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// removeOthers removes the roots other than r, and then the index files other than those of r:
// at no time is there a root without its files.
func (d *Dir) removeOthers(r Root) error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return err
	}
	for _, prefix := range []string{rootPrefix, indexPrefix} {
		removed := false
		for _, e := range entries {
			name := e.Name()
			if e.IsDir() || !strings.HasPrefix(name, prefix) || name == r.name() || slices.Contains(r.files(), name) {
				continue
			}
			if err := os.Remove(filepath.Join(d.path, name)); err != nil {
				return err
			}
			removed = true
		}
		if removed {
			if err := d.sync(); err != nil {
				return err
			}
		}
	}
	return nil
}
