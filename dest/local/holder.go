package local

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// A Holder is who has locked a file of a database.
type Holder struct {
	File string
	PID  int // 0 where the system does not tell, as of dclone's own locks
}

// Holders returns who has locked the database in a directory: a Datomic Local process, or a run
// of dclone. It asks the system, and takes no lock itself.
func Holders(dir string) ([]Holder, error) {
	var holders []Holder
	for _, name := range []string{".lock", "db.log", "log.idx", "db.log.loading", "log.idx.loading"} {
		f, err := os.Open(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return holders, err
		}
		pid, held, err := holder(f)
		f.Close()
		if err != nil {
			return holders, err
		}
		if held {
			holders = append(holders, Holder{filepath.Join(dir, name), pid})
		}
	}
	return holders, nil
}
