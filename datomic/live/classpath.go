package live

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ClasspathVariable is the environment variable that holds a class path.
const ClasspathVariable = "DCLONE_DATOMIC_CLASSPATH"

// Coordinates says where Datomic's libraries are to be had.
const Coordinates = "com.datomic/local (Datomic Local, client API) and com.datomic/peer (peer API) are on Maven Central"

// Classpath finds a class path with a library of Datomic's on it: the one given, that of the
// environment, or what clojure makes of a deps.edn in dir, or mvn of a pom.xml there. What those two
// say is kept, by the content of the file. Where there is none the error is a *MissingError.
func Classpath(ctx context.Context, given, dir string) (string, error) {
	if given != "" {
		return given, nil
	}
	if cp := os.Getenv(ClasspathVariable); cp != "" {
		return cp, nil
	}
	var without []string
	for _, r := range resolvers {
		file, err := filepath.Abs(filepath.Join(dir, r.file))
		if err != nil {
			return "", err
		}
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("find class path: %w", err)
		}
		program, err := exec.LookPath(r.program)
		if err != nil {
			without = append(without, fmt.Sprintf("; there is a %s, but no %s to resolve it", r.file, r.program))
			continue
		}
		return r.cached(ctx, program, file, text)
	}
	return "", &MissingError{"no class path with a library of Datomic's: give --datomic-classpath, " + ClasspathVariable +
		", or run where a deps.edn or pom.xml names one" + strings.Join(without, "") + "; " + Coordinates}
}

// A resolver makes a class path of a file that names libraries.
type resolver struct {
	file, program string
	run           func(ctx context.Context, program, file string) ([]byte, error)
}

var resolvers = []resolver{{"deps.edn", "clojure", runClojure}, {"pom.xml", "mvn", runMaven}}

func runClojure(ctx context.Context, program, file string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, program, "-Spath")
	cmd.Dir = filepath.Dir(file)
	return output(cmd)
}

func runMaven(ctx context.Context, program, file string) ([]byte, error) {
	to, err := os.CreateTemp("", "dclone-classpath-*")
	if err != nil {
		return nil, err
	}
	to.Close()
	defer os.Remove(to.Name())
	cmd := exec.CommandContext(ctx, program, "-q", "-B", "-f", file, "dependency:build-classpath", "-Dmdep.outputFile="+to.Name())
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, firstLines(out))
	}
	return os.ReadFile(to.Name())
}

func output(cmd *exec.Cmd) ([]byte, error) {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, firstLines(stderr.Bytes()))
	}
	return out, nil
}

func firstLines(text []byte) string {
	text = bytes.TrimSpace(text)
	return strings.ReplaceAll(string(text[:min(len(text), 500)]), "\n", " | ")
}

// cached resolves a file unless that was done before, and what it came to is still there.
func (r resolver) cached(ctx context.Context, program, file string, text []byte) (string, error) {
	dir := filepath.Dir(file)
	keep := ""
	if base, err := os.UserCacheDir(); err == nil {
		sum := sha256.Sum256(append([]byte(dir+"\n"), text...))
		keep = filepath.Join(base, "dclone", "classpath", fmt.Sprintf("%x", sum[:16]))
		if cp, err := os.ReadFile(keep); err == nil && allThere(string(cp)) {
			return string(cp), nil
		}
	}
	out, err := r.run(ctx, program, file)
	if err != nil {
		return "", fmt.Errorf("resolve %s with %s: %w", file, r.program, err)
	}
	cp := within(dir, strings.TrimSpace(string(out)))
	if cp == "" {
		return "", fmt.Errorf("resolve %s with %s: it names no library", file, r.program)
	}
	if keep != "" && os.MkdirAll(filepath.Dir(keep), 0o755) == nil {
		_ = os.WriteFile(keep, []byte(cp), 0o644) // what cannot be kept is resolved again
	}
	return cp, nil
}

// within makes the relative entries of a class path, such as deps.edn's "src", absolute.
func within(dir, cp string) string {
	entries := filepath.SplitList(cp)
	for i, e := range entries {
		if !filepath.IsAbs(e) {
			entries[i] = filepath.Join(dir, e)
		}
	}
	return strings.Join(entries, string(filepath.ListSeparator))
}

// allThere reports whether the jars of a class path exist.
func allThere(cp string) bool {
	for _, e := range filepath.SplitList(cp) {
		if _, err := os.Stat(e); err != nil && strings.HasSuffix(e, ".jar") {
			return false
		}
	}
	return cp != ""
}
