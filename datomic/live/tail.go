package live

import (
	"bufio"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
)

const (
	tailLines = 20
	maxLine   = 4 << 10
)

// A tail keeps the last lines of what a child prints, and passes all of them on. What was said to be a secret is in none
// of them.
type tail struct {
	log func(line string)

	mu      sync.Mutex
	lines   []string
	secrets []string
}

// read reads r to its end.
func (t *tail) read(r io.Reader) {
	b := bufio.NewReaderSize(r, maxLine)
	for {
		line, more, err := b.ReadLine()
		if err != nil {
			return
		}
		text := t.redact(strings.ToValidUTF8(strings.TrimRight(string(line), "\r"), "?"))
		for more && err == nil {
			_, more, err = b.ReadLine() // the rest of a line that is too long
		}
		t.add(text)
	}
}

func (t *tail) add(line string) {
	if strings.TrimSpace(line) == "" {
		return
	}
	t.mu.Lock()
	if len(t.lines) == tailLines {
		t.lines = slices.Delete(t.lines, 0, 1)
	}
	t.lines = append(t.lines, line)
	t.mu.Unlock()
	if t.log != nil {
		t.log(line)
	}
}

// last returns the last lines, without the stack traces that are most of what a JVM says.
func (t *tail) last() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(t.lines), func(line string) bool {
		return strings.HasPrefix(line, "\tat ") || strings.HasPrefix(line, "SLF4J:")
	})
}

var secretParts = regexp.MustCompile(`(?i)(?:password|passwd|secret|secret[-_]key|access[-_]key(?:[-_]id)?)"?[\s=:]+"?([^"&\s,})]+)`)

// shortestSecret is how long what is hidden is at least. Shorter ones, which keep nobody out, are in every other word.
const shortestSecret = 3

// hide makes the secrets in the argument of a connect unseen.
func (t *tail) hide(arg string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, found := range secretParts.FindAllStringSubmatch(arg, -1) {
		if len(found[1]) >= shortestSecret && !slices.Contains(t.secrets, found[1]) {
			t.secrets = append(t.secrets, found[1])
		}
	}
}

func (t *tail) redact(text string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.secrets {
		text = strings.ReplaceAll(text, s, "***")
	}
	return text
}

// mentions reports whether a line has a word in it.
func (t *tail) mentions(word string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.ContainsFunc(t.lines, func(line string) bool { return strings.Contains(line, word) })
}
