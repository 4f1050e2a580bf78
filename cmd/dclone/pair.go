package main

import (
	"fmt"
	"os"
	"path/filepath"

	"dclone/address"
	"dclone/source"
	"dclone/store"
)

// The environment that stands in for addresses that are left out.
const (
	envSource = "DCLONE_SOURCE"
	envDest   = "DCLONE_DEST"
)

// A pair is what most commands are about.
type pair struct {
	source address.Address
	dest   place
}

// pair reads SOURCE and DEST, and makes sure that they are two databases.
func (p *program) pair(command string, args []string, state string) (pair, error) {
	if len(args) > 2 {
		return pair{}, usage(command, "%d arguments where SOURCE and DEST are wanted", len(args))
	}
	texts := [2]string{os.Getenv(envSource), os.Getenv(envDest)}
	copy(texts[:], args)
	if texts[0] == "" || texts[1] == "" {
		return pair{}, usage(command, "SOURCE and DEST are wanted, as arguments or in %s and %s", envSource, envDest)
	}
	p.source, p.dest = address.Redact(texts[0]), address.Redact(texts[1])
	src, err := parseAddress(texts[0])
	if err != nil {
		return pair{}, err
	}
	dst, err := p.place(texts[1], state)
	if err != nil {
		return pair{}, err
	}
	if err := checkApart(src, dst); err != nil {
		return pair{}, err
	}
	return pair{src, dst}, dst.checkState()
}

// checkPoint refuses a restore point that the user has chosen and that the clone is beyond: nothing is wrong
// with the source then.
func (pr pair) checkPoint(src source.Conn, sc *sidecar) error {
	of, had := point(pr.source), sc.pos.Source.T
	if of == store.Newest || of >= had || src.DatabaseID() != sc.session.Source.ID {
		return nil
	}
	return &failure{codeDiverged, fmt.Errorf("sync clone %s: restore point t %d is older than the clone, which has come to t %d", pr.dest.address, of, had),
		"a newer restore point, or without ?t= the newest; or " + tryAfresh}
}

// dest1 reads DEST, for the commands that are about a clone alone.
func (p *program) dest1(command string, args []string, state string) (place, error) {
	text := os.Getenv(envDest)
	if len(args) > 0 {
		text = args[0]
	}
	if text == "" {
		return place{}, usage(command, "DEST is wanted, as an argument or in %s", envDest)
	}
	dst, err := p.place(text, state)
	if err != nil {
		return place{}, err
	}
	return dst, dst.checkState()
}

// place reads DEST, and keeps what to tell of it.
func (p *program) place(text, state string) (place, error) {
	p.dest = address.Redact(text)
	dst, err := newPlace(text, state)
	if err == nil && dst.isLive() {
		p.dropCall = dst.dropCall()
	}
	return dst, err
}

func parseAddress(text string) (address.Address, error) {
	a, err := address.Parse(text)
	return a, addressFailure(err)
}

// addressFailure makes what is wrong with an address the failure of a command line.
func addressFailure(err error) error {
	if bad, ok := err.(*address.Error); ok {
		return &failure{codeUsage, bad, bad.Try}
	}
	return err
}

// directory returns the directory that an address names, "" where it names something else.
func directory(a address.Address) string {
	switch a := a.(type) {
	case address.Local:
		return a.Dir()
	case address.Directory:
		return a.Path
	case address.Client:
		return a.Dir()
	}
	return ""
}

// checkApart refuses a destination that is the source, or lies in it, or has files of it, however
// the two are spelled.
func checkApart(source address.Address, dst place) error {
	if address.Identity(source) == address.Identity(dst.address) {
		return apartFailure("clone to %s: it is the source itself", dst)
	}
	src, dir := directory(source), directory(dst.address)
	if src == "" {
		return nil
	}
	if dir != "" && sameDatabase(src, dir) {
		return apartFailure("clone to %s: it is the source itself", dst)
	}
	if dir != "" && (within(dir, src) || within(src, dir)) {
		return apartFailure("clone to %s: one of source and destination lies in the other's directory", dst)
	}
	if within(dst.state, src) {
		return apartFailure("keep sidecar of %s: it would lie in the source's directory", dst)
	}
	return nil
}

// sameDatabase reports whether two directories are one, or have files in common.
func sameDatabase(a, b string) bool {
	same := a == b || sameFile(a, b)
	for _, name := range []string{"db.log", "log.idx", "db.log.loading", "log.idx.loading"} {
		same = same || sameFile(filepath.Join(a, name), filepath.Join(b, name))
	}
	return same
}

func apartFailure(format string, dst place) error {
	return &failure{codeUsage, fmt.Errorf(format, dst.address), "a destination of its own"}
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// within reports whether path, which need not exist, lies in the directory dir.
func within(path, dir string) bool {
	for path = realPath(path); ; path = filepath.Dir(path) {
		if sameFile(path, dir) {
			return true
		}
		if path == filepath.Dir(path) {
			return false
		}
	}
}

// realPath resolves the symbolic links of path as far as it exists.
func realPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil || path == filepath.Dir(path) {
		return real
	}
	return filepath.Join(realPath(filepath.Dir(path)), filepath.Base(path))
}
