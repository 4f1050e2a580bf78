package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"

	"dclone/address"
)

// A console is where a command prints: results on one stream, all else on the other. It may be
// used by many goroutines.
type console struct {
	mu     sync.Mutex
	out    *bufio.Writer
	outErr error
	err    io.Writer
	width  int // of the progress line that stands on the terminal
}

func newConsole(out, err io.Writer) *console {
	return &console{out: bufio.NewWriterSize(out, 64<<10), err: err}
}

// Write adds to the results, which are seen at the next flush. After an error it takes no more.
func (c *console) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outErr == nil {
		_, c.outErr = c.out.Write(b)
	}
	if c.outErr != nil {
		return 0, c.outErr
	}
	return len(b), nil
}

// flush shows the results so far.
func (c *console) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.out.Flush(); c.outErr == nil {
		c.outErr = err
	}
}

// close ends the output. A reader that went away is no error.
func (c *console) close() error {
	c.flush()
	if c.outErr == nil || errors.Is(c.outErr, syscall.EPIPE) {
		return nil
	}
	return &failure{code: codeFailure, err: fmt.Errorf("write results: %w", c.outErr)}
}

// line prints a JSON document on a line of its own, at once.
func (c *console) line(v any) {
	if err := newJSON(c).Encode(v); err == nil {
		c.flush()
	}
}

// newJSON returns an encoder that leaves the ampersands of addresses as they are.
func newJSON(w io.Writer) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}

// document prints a JSON document for programs and the people who debug them.
func (c *console) document(v any) error {
	e := newJSON(c)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// table prints rows whose cells are parted by tabs, aligned.
func (c *console) table(rows ...string) {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, row)
	}
	w.Flush()
	for line := range bytes.Lines(b.Bytes()) {
		fmt.Fprintf(c, "%s\n", bytes.TrimRight(line, " \n"))
	}
}

// note prints a line for people beside the results.
func (c *console) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.erase()
	fmt.Fprintln(c.err, oneLine(fmt.Sprintf(format, args...)))
}

// progress replaces the progress line of a terminal, or erases it where line is "".
func (c *console) progress(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	const columns = 79
	if runes := []rune(line); len(runes) > columns {
		line = string(runes[:columns])
	}
	c.erase()
	if line != "" {
		c.width = len([]rune(line))
		fmt.Fprint(c.err, line)
	}
}

func (c *console) erase() {
	if c.width > 0 {
		fmt.Fprintf(c.err, "\r%s\r", strings.Repeat(" ", c.width))
		c.width = 0
	}
}

// fail prints the error a command ends with.
func (c *console) fail(f *failure, asJSON bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.erase()
	if asJSON {
		newJSON(c.err).Encode(exitError{"exit_error", f.code, f.Error(), address.Redact(f.try)})
		return
	}
	fmt.Fprintf(c.err, "dclone: %s\n", f.Error())
	if f.try != "" {
		fmt.Fprintf(c.err, "Try: %s\n", address.Redact(f.try))
	}
}

// exitError is the last line of standard error where JSON was asked for.
type exitError struct {
	MessageType string `json:"message_type"`
	Code        int    `json:"code"`
	Message     string `json:"message"`
	Try         string `json:"try"`
}

// oneLine returns text on one line, without passwords.
func oneLine(text string) string {
	return address.Redact(strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }), "; "))
}

// isTerminal reports whether w is a terminal that a line can be redrawn on.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
