package live

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A compiled is what Clojure has made of a class path's libraries that come as sources. To compile them is most of a
// child's start, so the first child of a class path keeps it in the user's cache, for all that come later.
type compiled struct {
	dir  string // "" where there is none to be had
	into string // to be made into dir; "" where that is done, or not to be done
}

// unused is how long it is kept without a start that uses it.
const unused = 90 * 24 * time.Hour

// findCompiled finds what there is for a class path.
func findCompiled(java, classpath string) compiled {
	base, err := os.UserCacheDir()
	if err != nil {
		return compiled{}
	}
	all := filepath.Join(base, "dclone", "compiled")
	dir := filepath.Join(all, fmt.Sprintf("%x", stamp(append(filepath.SplitList(classpath), java))))
	now := time.Now()
	if os.Chtimes(dir, now, now) == nil {
		return compiled{dir: dir}
	}
	if os.MkdirAll(all, 0o700) != nil {
		return compiled{}
	}
	sweep(all, now.Add(-unused))
	into, err := os.MkdirTemp(all, "new")
	if err != nil {
		return compiled{}
	}
	return compiled{dir, into}
}

// stamp tells files from what they were before.
func stamp(files []string) []byte {
	h := sha256.New()
	for _, file := range files {
		fmt.Fprintln(h, file)
		if info, err := os.Stat(file); err == nil {
			fmt.Fprintln(h, info.Size(), info.ModTime().UnixNano())
		}
	}
	return h.Sum(nil)[:16]
}

// sweep removes what nobody has used since then, and what starts that were cut have left.
func sweep(all string, then time.Time) {
	entries, _ := os.ReadDir(all)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.ModTime().Before(then) {
			os.RemoveAll(filepath.Join(all, e.Name()))
		}
	}
}

// before returns the class path with what is compiled on it.
func (k compiled) before(classpath string) string {
	dir := k.dir
	if k.into != "" {
		dir = k.into
	}
	if dir == "" {
		return classpath
	}
	return dir + string(filepath.ListSeparator) + classpath
}

// compile has the child load a library, and keeps what it is compiled to. Where it fails the library is
// loaded again, which tells why.
func (c *Child) compile(ctx context.Context, namespace string) {
	if c.code.into == "" {
		return
	}
	if _, err := c.ask(ctx, "compile", namespace, c.code.into); err == nil {
		_ = os.Rename(c.code.into, c.code.dir) // another child may have been first
	}
	c.code.drop()
}

// drop removes what was not kept.
func (k *compiled) drop() {
	if k.into != "" {
		os.RemoveAll(k.into)
		k.into = ""
	}
}
