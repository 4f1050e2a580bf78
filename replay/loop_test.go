package replay_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"dclone"
	"dclone/eidmap"
	"dclone/replay"
	"dclone/state"
)

var errPlug = errors.New("the plug was pulled")

// A tape is a clone and a store that write down what is asked of them, and fail at one call.
type tape struct {
	*state.Store
	acts    []string
	frames  []string
	fail    int // the call that fails, counted from 1
	durable int
}

func newTape(t testing.TB) *tape {
	st, err := state.Create(filepath.Join(t.TempDir(), "state"), state.Session{Version: state.Version, ID: uuid.New()}, begin)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	return &tape{Store: st}
}

var begin = state.Position{Phase: state.Current, Source: dclone.Fingerprint{T: 9}, Clone: dclone.Mark{T: 5}}

func (c *tape) act(format string, args ...any) error {
	c.acts = append(c.acts, fmt.Sprintf(format, args...))
	if len(c.acts) == c.fail {
		return errPlug
	}
	return nil
}

func (c *tape) Append(frames []byte, lengths []int) error {
	for _, n := range lengths {
		c.frames = append(c.frames, string(frames[:n]))
		frames = frames[n:]
	}
	return c.act("append %d", len(lengths))
}

func (c *tape) Sync() error {
	c.durable = len(c.frames)
	return c.act("sync")
}

func (c *tape) Mark() (dclone.Mark, error) {
	return dclone.Mark{T: 5 + dclone.T(len(c.frames)), Length: int64(len(c.frames))}, c.act("mark")
}

func (c *tape) Update(f func(*state.Tx) error) error {
	if err := c.act("update"); err != nil {
		return err
	}
	return c.Store.Update(f)
}

func (c *tape) loop(limits replay.Limits) *replay.Loop {
	return &replay.Loop{Store: c, Clone: c, Key: []byte("key"), Limits: limits,
		At: func(p replay.Point) error { return c.act("%s", p) },
		Fingerprint: func(t dclone.T) (dclone.Fingerprint, error) {
			return dclone.Fingerprint{T: t, Instant: dclone.Instant(t)}, c.act("fingerprint %d", t)
		}}
}

// steps makes n steps of one transaction each, of the source's t 10 and on. It reuses its buffer
// as the real ones do.
func steps(n int) iter.Seq2[replay.Step, error] {
	return func(yield func(replay.Step, error) bool) {
		var buf []byte
		for i := range n {
			buf = fmt.Appendf(buf[:0], "frame %d", i)
			id := dclone.MakeEntityID(17, int64(100+i))
			ok := yield(replay.Step{Frames: buf, Lengths: []int{len(buf)}, Datoms: 2, Source: dclone.T(10 + i),
				Next: eidmap.First{User: int64(i)}, Runs: []eidmap.Run{{Src: id, Clone: id, N: 1}},
				Schema:     []dclone.Datom{{E: 73, A: 10, V: dclone.Value{byte(i)}, Tx: dclone.TxID(dclone.T(10 + i))}},
				NotCarried: []dclone.NotCarried{{Attribute: "a", Reason: "r", Count: 1, FirstT: dclone.T(10 + i)}}}, nil)
			if !ok {
				return
			}
			copy(buf, "overwritten")
		}
	}
}

const long = time.Hour

func TestOrderOfActs(t *testing.T) {
	c := newTape(t)
	pos, err := c.loop(replay.Limits{Txs: 2, Bytes: 1 << 20, After: long}).Run(context.Background(), begin, steps(3))
	require.NoError(t, err)
	group := func(last, n int) []string {
		return []string{fmt.Sprintf("fingerprint %d", last), "before intent", "update", "before write", fmt.Sprintf("append %d", n),
			"before sync", "sync", "mark", "before commit", "update", "after commit"}
	}
	require.Equal(t, append(group(11, 2), group(12, 1)...), c.acts)
	require.Equal(t, []string{"frame 0", "frame 1", "frame 2"}, c.frames)
	require.Equal(t, dclone.Mark{T: 8, Length: 3}, pos.Clone)
	require.Equal(t, dclone.Fingerprint{T: 12, Instant: 12}, pos.Source)
	require.Equal(t, eidmap.First{User: 2}, pos.Next)
	stored, err := c.Position()
	require.NoError(t, err)
	require.Equal(t, pos, stored)
	s, err := c.Session()
	require.NoError(t, err)
	require.Equal(t, []dclone.NotCarried{{Attribute: "a", Reason: "r", Count: 3, FirstT: 10}}, s.NotCarried)
}

// A first copy has no intents, and writes ahead of its groups.
func TestFirstCopyActs(t *testing.T) {
	c := newTape(t)
	loop := c.loop(replay.Limits{Txs: 2, Bytes: 1 << 20, After: long})
	loop.Fingerprint = nil
	_, err := loop.Run(context.Background(), begin, steps(2))
	require.NoError(t, err)
	require.Equal(t, "before write,append 2,before sync,sync,mark,before commit,update,after commit", strings.Join(c.acts, ","))
}

// Whatever fails, and wherever: the position that is returned is the one in the store, what it
// says is durable, and an intent is there exactly while a group may be half written.
func TestFailures(t *testing.T) {
	trial := newTape(t)
	_, err := trial.loop(replay.Limits{Txs: 2, Bytes: 1 << 20, After: long}).Run(context.Background(), begin, steps(5))
	require.NoError(t, err)
	for fail := 1; fail <= len(trial.acts); fail++ {
		c := newTape(t)
		c.fail = fail
		pos, err := c.loop(replay.Limits{Txs: 2, Bytes: 1 << 20, After: long}).Run(context.Background(), begin, steps(5))
		require.ErrorIs(t, err, errPlug, "call %d, %s", fail, trial.acts[fail-1])
		stored, err := c.Position()
		require.NoError(t, err)
		require.Equal(t, stored, pos, "call %d, %s", fail, trial.acts[fail-1])
		require.LessOrEqual(t, int(stored.Clone.Length), c.durable)
		intent, err := c.Intent()
		require.NoError(t, err)
		if len(c.frames) > int(stored.Clone.Length) {
			require.NotNil(t, intent, "call %d, %s", fail, trial.acts[fail-1])
		}
		if intent == nil {
			continue
		}
		beyond := c.frames[stored.Clone.Length:]
		require.LessOrEqual(t, len(beyond), len(intent.Frames))
		for i, f := range beyond {
			require.EqualValues(t, len(f), intent.Frames[i].Length)
			require.Equal(t, dclone.DigestKey("key").Of([]byte(f)), intent.Frames[i].Digest)
		}
		require.Len(t, intent.Commit.Schema, len(intent.Frames))
		require.Equal(t, stored.Source.T+dclone.T(len(intent.Frames)), intent.Commit.Position.Source.T)
	}
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		limits replay.Limits
		groups []string
	}{
		{replay.Limits{Txs: 100, Bytes: 1 << 20, After: long}, []string{"append 4"}},
		{replay.Limits{Txs: 1, Bytes: 1 << 20, After: long}, []string{"append 1", "append 1", "append 1", "append 1"}},
		{replay.Limits{Txs: 100, Bytes: 14, After: long}, []string{"append 2", "append 2"}},
		{replay.Limits{Txs: 100, Bytes: 1 << 20}, []string{"append 1", "append 1", "append 1", "append 1"}},
		{replay.Limits{Txs: 100, Bytes: 1 << 20, Least: 20}, []string{"append 3", "append 1"}},
	} {
		tape := newTape(t)
		_, err := tape.loop(c.limits).Run(context.Background(), begin, steps(4))
		require.NoError(t, err)
		tape.acts = slices.DeleteFunc(tape.acts, func(a string) bool { return !strings.HasPrefix(a, "append") })
		require.Equal(t, c.groups, tape.acts, "%+v", c.limits)
	}
}

func TestEndOfRun(t *testing.T) {
	c := newTape(t)
	pos, err := c.loop(replay.Limits{Txs: 1}).Run(context.Background(), begin, steps(0))
	require.NoError(t, err)
	require.Equal(t, begin, pos)
	require.Empty(t, c.acts)

	loop := c.loop(replay.Limits{Txs: 2, Bytes: 1 << 20, After: long})
	loop.Stop = func() bool { return true }
	pos, err = loop.Run(context.Background(), begin, steps(5))
	require.ErrorIs(t, err, replay.ErrStopped)
	require.EqualValues(t, 11, pos.Source.T)
	require.Len(t, c.frames, 2)

	c = newTape(t)
	ctx, cancel := context.WithCancel(context.Background())
	loop = c.loop(replay.Limits{Txs: 1, Bytes: 1 << 20, After: long})
	n := 0
	loop.Progress = func(replay.Progress) {
		if n++; n == 2 {
			cancel()
		}
	}
	pos, err = loop.Run(ctx, begin, steps(5))
	require.ErrorIs(t, err, context.Canceled)
	require.EqualValues(t, 11, pos.Source.T)
	stored, err := c.Position()
	require.NoError(t, err)
	require.Equal(t, stored, pos)

	c = newTape(t)
	broken := func(yield func(replay.Step, error) bool) {
		for s, err := range steps(3) {
			if !yield(s, err) {
				return
			}
		}
		yield(replay.Step{}, errPlug)
	}
	pos, err = c.loop(replay.Limits{Txs: 2, Bytes: 1 << 20, After: long}).Run(context.Background(), begin, broken)
	require.ErrorIs(t, err, errPlug)
	require.EqualValues(t, 11, pos.Source.T)
	require.Len(t, c.frames, 2, "the group that was not full is not written")
}
