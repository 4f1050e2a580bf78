package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	for _, c := range []struct {
		text string
		want size
		back string
	}{
		{"1", 1, "1"}, {"1023", 1023, "1023"}, {"1024", 1 << 10, "1KiB"}, {"1536KiB", 1536 << 10, "1536KiB"},
		{"64MiB", 64 << 20, "64MiB"}, {"1.5GiB", 3 << 29, "1536MiB"}, {"2 GiB", 2 << 30, "2GiB"},
	} {
		var s size
		if err := s.Set(c.text); err != nil || s != c.want || s.String() != c.back {
			t.Errorf("%q: %v %s, %v", c.text, int64(s), s.String(), err)
		}
	}
	for _, text := range []string{"", "0", "-1", "MiB", "64MB", "64M", "0.5", "1e40", "NaN", "Inf", "9000000000GiB", "0.0001KiB"} {
		s := size(7)
		if err := s.Set(text); err == nil || s != 7 {
			t.Errorf("%q: %d, %v", text, s, err)
		}
	}
}

func TestPace(t *testing.T) {
	began := time.Now()
	var p pace
	if !p.update(stageLoading, 1000, 10_000, began) || p.update(stageLoading, 4000, 10_000, began.Add(2*time.Second)) {
		t.Error("only the first is another stage")
	}
	now := began.Add(3 * time.Second)
	if got, want := p.line(now), "loading 40.0 %  4000 of 10000 datoms  1000/s  ETA 6.0 s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	p.update(stageReplaying, 5, 10, now)
	if got, want := p.line(now), "replaying 50.0 %  5 of 10 transactions  0/s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	p.update(stageIndexing, 0, 0, now)
	if got, want := p.line(now.Add(75*time.Second)), "indexing 1m15s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A progress line is drawn over, and makes room for what stays.
func TestProgressLine(t *testing.T) {
	var out, err bytes.Buffer
	c := newConsole(&out, &err)
	c.progress(strings.Repeat("x", 100))
	c.progress("loading 1 %")
	c.note("look at postgres://u:hunter2@h/db\nand on")
	c.progress("loading 2 %")
	c.progress("")
	c.fail(&failure{codeSource, bytes.ErrTooLarge, "less"}, false)
	want := strings.Repeat("x", 79) + "\r" + strings.Repeat(" ", 79) + "\rloading 1 %\r           \r" +
		"look at postgres://u:***@h/db; and on\nloading 2 %\r           \r" +
		"dclone: bytes.Buffer: too large\nTry: less\n"
	if err.String() != want {
		t.Errorf("%q, want\n%q", err.String(), want)
	}
}
