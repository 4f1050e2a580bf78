package live

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/fressian"
)

// A fake is a child that this test program is itself: it has read the bridge, and speaks as it likes.
type fake func(in *bufio.Reader, out io.Writer)

const fakeVariable = "DCLONE_FAKE_CHILD"

var fakes = map[string]fake{
	"silent":      func(*bufio.Reader, io.Writer) {},
	"ready":       func(in *bufio.Reader, out io.Writer) { say(out, 0, kindOK, "17"); io.Copy(io.Discard, in) },
	"prints":      func(_ *bufio.Reader, out io.Writer) { fmt.Fprintln(out, "Warning: an agent prints to stdout") },
	"huge frame":  func(_ *bufio.Reader, out io.Writer) { out.Write([]byte{0x7F, 0xFF, 0xFF, 0xFF, 'x'}) },
	"empty frame": func(_ *bufio.Reader, out io.Writer) { out.Write(make([]byte, 4)) },
	"cut off":     func(_ *bufio.Reader, out io.Writer) { out.Write([]byte{0, 0, 1, 0, 0xE7, 1}) },
	"no answer":   func(_ *bufio.Reader, out io.Writer) { frame(out, "text") },
	"not asked":   func(_ *bufio.Reader, out io.Writer) { say(out, 77, kindOK, nil) },
	"no kind":     func(_ *bufio.Reader, out io.Writer) { say(out, 0, 9, nil) },
	"too deep":    func(_ *bufio.Reader, out io.Writer) { raw(out, []byte(strings.Repeat("\xE5", 4000))) },
	"beyond count": func(_ *bufio.Reader, out io.Writer) {
		raw(out, []byte{0xE7, 0, 1, 0xEC, 0x7A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})
	},
	"dies": func(in *bufio.Reader, out io.Writer) {
		say(out, 0, kindOK, "17")
		request(in)
		fmt.Fprintln(os.Stderr, "last words, with hunter22 in them")
		os.Exit(9)
	},
	"memory": func(in *bufio.Reader, out io.Writer) {
		say(out, 0, kindOK, "17")
		request(in)
		fmt.Fprintln(os.Stderr, "Terminating due to java.lang.OutOfMemoryError: Java heap space")
		os.Exit(3)
	},
	"floods": func(in *bufio.Reader, out io.Writer) {
		say(out, 0, kindOK, "17")
		id := request(in)
		for range 100 {
			say(out, id, kindPart, []any{})
		}
	},
	"parts": func(in *bufio.Reader, out io.Writer) { // the values 0, 1, 2 … as the credit allows
		say(out, 0, kindOK, "17")
		id, n := request(in), int64(0)
		for range window {
			say(out, id, kindPart, n)
			n++
		}
		for range 1000 {
			if request(in) != id {
				panic("another request")
			}
			say(out, id, kindPart, n)
			n++
		}
		say(out, id, kindOK, nil)
		io.Copy(io.Discard, in)
	},
	"hangs": func(in *bufio.Reader, out io.Writer) { say(out, 0, kindOK, "17"); select {} },
}

func raw(out io.Writer, b []byte) {
	out.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
}

func frame(out io.Writer, v any) {
	b, err := fressian.Append(nil, v)
	if err != nil {
		panic(err)
	}
	raw(out, b)
}

func say(out io.Writer, id, kind int64, v any) { frame(out, []any{id, kind, v}) }

// request reads a request and returns its id; at the end of the pipe the process ends.
func request(in *bufio.Reader) int64 {
	b, err := readFrame(in, nil)
	if err != nil {
		os.Exit(0)
	}
	v, _, err := fressian.Decode(b)
	if err != nil {
		panic(err)
	}
	return v.([]any)[0].(int64)
}

func init() {
	f := fakes[os.Getenv(fakeVariable)]
	if f == nil {
		return
	}
	in := bufio.NewReader(os.Stdin)
	for range 2 * number(in) {
		io.CopyN(io.Discard, in, number(in))
	}
	f(in, os.Stdout)
	os.Exit(0)
}

func number(in io.Reader) int64 {
	var n uint32
	binary.Read(in, binary.BigEndian, &n)
	return int64(n)
}

func startFake(t testing.TB, name string, log func(string)) (*Child, error) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
			require.True(t, time.Now().Before(end), "goroutines are left")
		}
	})
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fakeVariable+"="+name)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, err := start(ctx, cmd, log)
	if err == nil {
		t.Cleanup(func() { c.Close() })
	}
	return c, err
}

// A child that does not get as far as being ready, or says it as no child of ours would.
func TestBadStart(t *testing.T) {
	for _, name := range []string{"silent", "prints", "huge frame", "empty frame", "cut off", "no answer", "not asked", "no kind", "beyond count"} {
		t.Run(name, func(t *testing.T) {
			_, err := startFake(t, name, nil)
			require.Error(t, err)
			t.Log(err)
			if name == "prints" {
				require.ErrorContains(t, err, "Warning: an agent prints")
			}
		})
	}
}

// What was under way when a child goes fails with what it said last, and so does all that comes later.
func TestGone(t *testing.T) {
	for name, says := range map[string]string{"dies": "last words, with *** in them", "memory": "--jvm-opts"} {
		t.Run(name, func(t *testing.T) {
			var logged []string
			c, err := startFake(t, name, func(line string) { logged = append(logged, line) })
			require.NoError(t, err)
			require.NoError(t, c.Err())
			c.stderr.hide("datomic:sql://x?jdbc:postgresql://h/d?user=u&password=hunter22")
			for range 2 {
				_, err = c.ask(t.Context(), "anything")
				var gone *GoneError
				require.ErrorAs(t, err, &gone)
				require.ErrorContains(t, err, says)
				require.NotContains(t, err.Error(), "hunter22")
			}
			<-c.Done()
			require.Equal(t, err.Error(), c.Err().Error())
			require.NotContains(t, strings.Join(logged, "\n"), "hunter22")
			require.NotEmpty(t, logged)
		})
	}
}

func TestFlood(t *testing.T) {
	c, err := startFake(t, "floods", nil)
	require.NoError(t, err)
	for range c.stream(t.Context(), "anything") {
		<-c.Done()
	}
	require.ErrorContains(t, c.Err(), "more answers")
}

// A reader who does not hurry gets all parts in order; one who leaves in the middle leaves nothing behind.
func TestStream(t *testing.T) {
	c, err := startFake(t, "parts", nil)
	require.NoError(t, err)
	var got []int64
	for part, err := range c.stream(t.Context(), "anything") {
		require.NoError(t, err)
		n, _, ok := fressian.Int(part)
		require.True(t, ok)
		if got = append(got, n); n%100 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	require.Len(t, got, window+1000)
	require.True(t, slices.IsSorted(got))

	c, err = startFake(t, "parts", nil)
	require.NoError(t, err)
	for range c.stream(t.Context(), "anything") {
		break
	}
	require.Empty(t, c.calls)
}

// A child that hangs holds nobody who does not want to wait, and not the end of the program.
func TestHang(t *testing.T) {
	c, err := startFake(t, "hangs", nil)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = c.ask(ctx, "anything")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	for _, err := range c.stream(ctx, "anything") {
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	c.Kill()
	_, err = c.ask(t.Context(), "anything")
	require.ErrorIs(t, err, ErrClosed)
	require.ErrorIs(t, c.Err(), ErrClosed)
	require.NoError(t, c.Close())
}

func TestOutcome(t *testing.T) {
	remote := func(anomaly, dbError string) error {
		if anomaly != "" {
			anomaly = "cognitect.anomalies/" + anomaly
		}
		return &RemoteError{Class: "clojure.lang.ExceptionInfo", Message: "m", Anomaly: anomaly, DBError: dbError}
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{remote("busy", ""), "busy"},
		{remote("incorrect", "db.error/not-an-entity"), "refused"},
		{remote("conflict", "db.error/cas-failed"), "refused"},
		{remote("forbidden", ""), "refused"},
		{remote("not-found", ""), "refused"},
		{remote("", "db.error/tempid-not-an-entity"), "refused"},
		{remote("unavailable", ""), "unknown"},
		{remote("interrupted", ""), "unknown"},
		{remote("fault", ""), "unknown"},
		{remote("fault", "db.error/something"), "unknown"},
		{remote("", ""), "unknown"},
		{remote("", "db.error/transactor-unavailable"), "unknown"},
		{remote("", "db.error/transaction-timeout"), "unknown"},
		{remote("busy", "db.error/transaction-timeout"), "unknown"},
		{remote("incorrect", "db.error/connection-released"), "unknown"},
		{&GoneError{Cause: io.EOF}, "unknown"},
		{context.Canceled, "unknown"},
	} {
		err := outcome(c.err)
		var refused *Refused
		is := map[string]bool{"busy": errors.Is(err, ErrBusy), "unknown": errors.Is(err, ErrUnknownOutcome), "refused": errors.As(err, &refused)}
		for kind, got := range is {
			require.Equal(t, kind == c.want, got, "%v: %s", c.err, kind)
		}
	}
}

// Secrets of an address are in no line and no error.
func TestRedact(t *testing.T) {
	for _, arg := range []string{
		"datomic:sql://db?jdbc:postgresql://host/d?user=datomic&password=hunter22",
		"datomic:ddb://us-east-1/table/db?aws_access_key_id=AKIA22&aws_secret_key=hunter22",
		`{:server-type :peer-server :access-key "AKIA22" :secret "hunter22" :endpoint "h:1"}`,
		`{:server-type :x, :password "hunter22"}`,
	} {
		var l tail
		l.hide(arg)
		text := l.redact("cannot connect: " + arg + " as AKIA22 with hunter22")
		require.NotContains(t, text, "hunter22")
		if strings.Contains(arg, "AKIA22") {
			require.NotContains(t, text, "AKIA22")
		}
		require.Contains(t, text, "***")
	}
}

// What is as short as a letter is left, so that sentences can be read.
func TestRedactShort(t *testing.T) {
	var l tail
	l.hide(`{:server-type :peer-server :access-key "a" :secret "bc" :endpoint "h:1"}`)
	require.Equal(t, "Could not locate abc", l.redact("Could not locate abc"))
}

func FuzzAnswer(f *testing.F) {
	for _, v := range []any{[]any{int64(3), int64(1), []any{int64(1), int64(2), int64(3), "x"}}, []any{int64(0), int64(2), fressian.Map{{Key: "class", Value: "x"}}}} {
		b, err := fressian.Append(nil, v)
		require.NoError(f, err)
		f.Add(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	}
	f.Add([]byte{0x0F, 0xFF, 0xFF, 0xFF, 0xE7})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bufio.NewReader(strings.NewReader(string(b)))
		for {
			frame, err := readFrame(r, nil)
			if err != nil {
				return
			}
			require.LessOrEqual(t, cap(frame), 2*growth+2*len(b))
			a, err := parseAnswer(frame)
			if err != nil {
				continue
			}
			require.NotEmpty(t, a.value)
			w := new(fressian.Walker)
			w.Reset(a.value)
			for items := w.Items(); w.More(&items); {
				walkDatom(w, &items, nil)
			}
			l := logReader{yield: func(*dclone.Tx, error) bool { return true }}
			_ = l.part(a.value)
			_, _ = readReport(a.value)
		}
	})
}
