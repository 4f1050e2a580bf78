package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"dclone"
	"dclone/datomic/local"
)

// TestScripts runs testdata/script/*.txt, a command a line:
//
//	shop NAME N [START]        make database dev/NAME of N items; START tells one from another
//	grow NAME N                add N items to it, or to a clone of it
//	refer NAME T               add a transaction that refers to the entity of transaction T
//	dclone ARG…                run dclone
//	code N                     the exit code it must have ended with; 0 where no code is asked
//	stdout RE / !stdout RE     what it must, or must not, have printed; likewise stderr
//	lines N                    how many lines it must have printed on stdout
//	keep / kept                note all files; they must be as they were
//	env NAME=VALUE             for the runs of dclone that follow
//	mkdir, rm, cp, mv, ln, symlink, write, cut, flip
//
// and what scripts about Datomic Pro and about live sources need: see pro and live.
//
// $W is the script's directory, $S the source and $D the destination that most of them use.
// Words in quotes may hold spaces.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir, err := filepath.EvalSymlinks(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			s := &script{t: t, dir: dir}
			s.run(string(text))
		})
	}
}

// A script is one that is being run.
type script struct {
	t    *testing.T
	dir  string
	env  []string
	line int

	ran            string // what dclone was run with last
	checked        bool
	code           int
	stdout, stderr string
	tree           map[string]string

	vars      []string // that a script has besides, each with what it stands for
	superuser string   // a connection to the storage
	secret    string   // that nothing dclone prints or writes may hold
}

func (s *script) run(text string) {
	for line := range strings.Lines(text) {
		s.line++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		s.do(s.words(line))
	}
	s.done()
}

var word = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\S+`)

// words cuts a line, and puts in what its variables stand for.
func (s *script) words(line string) []string {
	vars := strings.NewReplacer(append(s.vars, "$W", s.dir, "$S", "datomic-local:"+s.dir+"/dev/shop",
		"$D", "datomic-local:"+s.dir+"/dev/clone", "$C", s.dir+"/dev/clone")...)
	var words []string
	for _, w := range word.FindAllString(line, -1) {
		if w[0] == '"' {
			w = strings.ReplaceAll(w[1:len(w)-1], `\"`, `"`)
		}
		words = append(words, vars.Replace(w))
	}
	return words
}

func (s *script) fatalf(format string, args ...any) {
	s.t.Helper()
	s.t.Fatalf("line %d: %s\n%s: exit code %d\nstdout:\n%s\nstderr:\n%s", s.line, fmt.Sprintf(format, args...),
		s.ran, s.code, s.stdout, s.stderr)
}

func (s *script) must(err error) {
	if err != nil {
		s.t.Helper()
		s.fatalf("%v", err)
	}
}

// done makes sure that the last run of dclone ended as it should.
func (s *script) done() {
	if !s.checked && s.code != 0 {
		s.fatalf("exit code %d, and none was asked for", s.code)
	}
	s.keepsSecret()
}

func (s *script) do(words []string) {
	name, args := words[0], words[1:]
	switch name {
	case "dclone":
		s.done()
		s.ran, s.checked = strings.Join(words, " "), false
		s.stdout, s.stderr, s.code = dcloneRun(s.t, s.env, args...)
	case "code":
		s.checked = true
		if strconv.Itoa(s.code) != args[0] {
			s.fatalf("exit code %d, want %s", s.code, args[0])
		}
	case "stdout", "!stdout":
		s.match(s.stdout, args[0], name == "stdout")
	case "stderr", "!stderr":
		s.match(s.stderr, args[0], name == "stderr")
	case "lines":
		if n := strings.Count(s.stdout, "\n"); strconv.Itoa(n) != args[0] {
			s.fatalf("%d lines, want %s", n, args[0])
		}
	case "env":
		s.env = append(s.env, args[0])
	case "keep":
		s.tree = s.files()
	case "kept":
		s.kept()
	case "shop", "grow", "refer":
		s.shop(name, args)
	default:
		if !s.pro(name, args) && !s.live(name) {
			s.file(name, args)
		}
	}
}

func (s *script) match(text, re string, want bool) {
	if regexp.MustCompile("(?m)"+re).MatchString(text) != want {
		s.fatalf("match of %q: want %v", re, want)
	}
}

// files returns all that is in the script's directory.
func (s *script) files() map[string]string {
	tree := map[string]string{}
	s.must(filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		tree[path] = d.Type().String()
		if d.Type().IsRegular() {
			b, err := os.ReadFile(path)
			tree[path] = string(b)
			return err
		}
		return nil
	}))
	return tree
}

func (s *script) kept() {
	now := s.files()
	for path, was := range s.tree {
		if is, ok := now[path]; !ok || is != was {
			s.fatalf("%s was changed or removed", path)
		}
		delete(now, path)
	}
	for path := range now {
		s.fatalf("%s was made", path)
	}
}

const shopStart dclone.Instant = 1_700_000_000_000

func (s *script) shop(name string, args []string) {
	n, err := strconv.Atoi(args[1])
	s.must(err)
	switch name {
	case "shop":
		start := shopStart
		if len(args) > 2 {
			plus, err := strconv.Atoi(args[2])
			s.must(err)
			start += dclone.Instant(plus)
		}
		makeShop(s.t, filepath.Join(s.dir, "dev", args[0]), n, start)
	case "grow":
		s.at(args[0]).grow(n, shopStart)
	case "refer":
		s.at(args[0]).refer(dclone.T(n), shopStart)
	}
}

// at returns a database as a shop, be it one or a clone of one.
func (s *script) at(name string) *shop { return &shop{s.t, filepath.Join(s.dir, "dev", name)} }

// file does what a script wants with files.
func (s *script) file(name string, args []string) {
	switch name {
	case "mkdir":
		s.must(os.MkdirAll(args[0], 0o777))
	case "rm":
		s.must(os.RemoveAll(args[0]))
	case "mv":
		s.must(os.Rename(args[0], args[1]))
	case "ln":
		s.must(os.Link(args[0], args[1]))
	case "symlink":
		s.must(os.Symlink(args[0], args[1]))
	case "cp":
		s.must(os.CopyFS(args[1], os.DirFS(args[0])))
	case "write":
		s.must(os.MkdirAll(filepath.Dir(args[0]), 0o777))
		s.must(os.WriteFile(args[0], []byte(args[1]), 0o666))
	case "cut", "flip":
		s.damage(name, args)
	default:
		s.fatalf("there is no command %s", name)
	}
}

// damage cuts N bytes off a database's log, or changes the head of transaction N.
func (s *script) damage(name string, args []string) {
	n, err := strconv.Atoi(args[1])
	s.must(err)
	l, err := local.OpenLog(args[0])
	s.must(err)
	defer l.Close()
	b, err := os.ReadFile(l.Path())
	s.must(err)
	if name == "cut" {
		b = b[:len(b)-n]
	} else {
		at, err := l.Find(dclone.T(n))
		s.must(err)
		b[at] ^= 0xff
	}
	s.must(os.WriteFile(l.Path(), b, 0o666))
}
