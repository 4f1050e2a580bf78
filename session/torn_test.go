package session_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dclone/dest"
	"dclone/historytest"
	"dclone/replay"
	"dclone/session"
	"dclone/state"
)

// stopAt pulls the plug at the last of the places called point.
func (p pair) stopAt(t testing.TB, point replay.Point, opt session.Options) {
	t.Helper()
	count := func(left *int, fail bool) func(replay.Point) error {
		return func(at replay.Point) error {
			if at == point {
				if *left--; *left == 0 && fail {
					return errPlug
				}
			}
			return nil
		}
	}
	trial := pair{p.src, p.dst + ".trial"}
	if _, err := os.Stat(p.dst); err == nil {
		copyDir(t, p.dst, trial.dst)
	}
	left := 0
	opt.At = count(&left, false)
	trial.must(t, opt)
	require.NoError(t, os.RemoveAll(trial.dst))
	left = -left
	opt.At = count(&left, true)
	_, err := p.sync(opt)
	require.ErrorIs(t, err, errPlug)
}

// position returns what the sidecar says.
func (p pair) position(t testing.TB) state.Position {
	t.Helper()
	st, err := state.Open(p.sidecar())
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	pos, err := st.Position()
	require.NoError(t, err)
	return pos
}

// A kill within the writing of a group leaves any number of its bytes, and log.idx perhaps an entry
// ahead. A power cut may also leave zeros in the place of bytes.
func TestTornCatchUp(t *testing.T) {
	small(t, 3)
	s := newScenario(t, 8, 25, 12, session.Options{})
	p := pair{s.src2, s.path("stopped")}
	copyDir(t, s.dst1, p.dst)
	p.stopAt(t, replay.BeforeCommit, s.opt)
	whole, from := p.log(t), p.position(t).Clone.Length
	txs, err := historytest.Split([]byte(whole[0]))
	require.NoError(t, err)
	require.Greater(t, int64(len(whole[0])), from, "nothing of the group is written")
	stopped := s.path("stopped.kept")
	copyDir(t, p.dst, stopped)

	try := func(log, idx, what string) {
		copyDir(t, stopped, p.dst)
		require.NoError(t, os.WriteFile(filepath.Join(p.dst, "db.log"), []byte(log), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(p.dst, "log.idx"), []byte(idx), 0o600))
		_, err := p.sync(s.opt)
		require.NoError(t, err, "%s, %d of %d to %d", what, len(log), from, len(whole[0]))
		sameLogs(t, s.want2, p.log(t), "%s, %d of %d to %d", what, len(log), from, len(whole[0]))
	}
	for cut := from; cut <= int64(len(whole[0])); cut++ {
		frames := 0
		for frames < len(txs) && txs[frames].To <= cut {
			frames++
		}
		log, idx := whole[0][:cut], whole[1][:8*frames]
		border := txs[frames-1].To == cut
		switch {
		case !border || cut%2 == 0 && frames < len(txs): // the entry of the frame that is being written
			idx = string(binary.BigEndian.AppendUint64([]byte(idx), uint64(txs[frames-1].To)))
		}
		try(log, idx, "torn")
		if cut%32 == 0 || border {
			try(log+string(make([]byte, int64(len(whole[0]))-cut)), whole[1], "zeros")
		}
	}
	try(whole[0], whole[1][:len(whole[1])-8], "an entry is missing")
	try(whole[0][:from], whole[1], "entries of all, frames of none")
	try(whole[0], "", "log.idx empty")
}

// The same of a first copy: what is behind the last commit is cut, whatever it is.
func TestTornFirstCopy(t *testing.T) {
	small(t, 3)
	s := newScenario(t, 9, 12, 1, session.Options{MaxBatchSize: 9, NoIndex: true})
	r := rand.New(rand.NewPCG(9, 9))
	for _, point := range []int{2, 3, 6, 9, s.first - 1} {
		p := pair{s.src1, s.path("stopped")}
		require.NoError(t, os.RemoveAll(p.dst))
		_, err := p.sync(s.at(pull(point)))
		require.ErrorIs(t, err, errPlug)
		pos := p.position(t)
		stopped := s.path("stopped.kept")
		copyDir(t, p.dst, stopped)
		log, idx := read(t, filepath.Join(p.dst, "db.log.loading")), read(t, filepath.Join(p.dst, "log.idx.loading"))
		from := int(pos.Clone.Length)
		tails := []string{"", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "someone's bytes \xff\xff\xff"}
		indexes := []string{idx, "", idx[:len(idx)/16*8]}
		for n := range 36 {
			cut := from + (len(log)-from)*(n/9)/3
			if n >= 9 && n < 27 {
				cut = from + r.IntN(len(log)-from+1)
			}
			tail, idx := tails[n%3], indexes[n/3%3]
			copyDir(t, stopped, p.dst)
			require.NoError(t, os.WriteFile(filepath.Join(p.dst, "db.log.loading"), []byte(log[:cut]+tail), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(p.dst, "log.idx.loading"), []byte(idx), 0o600))
			what := fmt.Sprintf("stop %d, cut at %d of %d to %d, tail %q, %d bytes of index", point, cut, from, len(log), tail, len(idx))
			_, err := p.sync(s.opt)
			require.NoError(t, err, what)
			sameLogs(t, s.want1, p.log(t), "%s", what)
		}
	}
}

// setPosition changes what the sidecar says of the clone.
func (p pair) setPosition(t testing.TB, f func(*state.Position)) {
	t.Helper()
	st, err := state.Open(p.sidecar())
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	pos, err := st.Position()
	require.NoError(t, err)
	f(&pos)
	require.NoError(t, st.Update(func(tx *state.Tx) error { return tx.SetPosition(pos) }))
}

// Publishing is several renames; a kill can fall between any two.
func TestStopPublish(t *testing.T) {
	small(t, 1000)
	for _, noIndex := range []bool{false, true} {
		s := newScenario(t, 10, 30, 30, session.Options{NoIndex: noIndex})
		at := func(name string) string { return filepath.Join(s.path("stopped"), name) }
		indexes := func() (names []string) {
			for _, pattern := range []string{"index-*", "db-root-*"} {
				found, err := filepath.Glob(at(pattern))
				require.NoError(t, err)
				names = append(names, found...)
			}
			return names
		}
		rename := func(from, to string) { require.NoError(t, os.Rename(at(from), at(to))) }
		for name, arrange := range map[string]func(){
			"nothing renamed": func() {
				rename("db.log", "db.log.loading")
				rename("log.idx", "log.idx.loading")
				for _, f := range indexes() {
					if noIndex || filepath.Base(f)[0] == 'd' {
						require.NoError(t, os.Remove(f))
					}
				}
			},
			"linked": func() {
				require.NoError(t, os.Link(at("db.log"), at("db.log.loading")))
				rename("log.idx", "log.idx.loading")
			},
			"log renamed":     func() { rename("log.idx", "log.idx.loading") },
			"index made anew": func() { require.NoError(t, os.Link(at("log.idx"), at("log.idx.loading"))) },
			"no log.idx":      func() { require.NoError(t, os.Remove(at("log.idx"))) },
			"no root": func() {
				for _, f := range indexes() {
					if filepath.Base(f)[0] == 'd' {
						require.NoError(t, os.Remove(f))
					}
				}
			},
			"all renamed": func() {},
		} {
			for _, src := range []string{s.src1, s.src2} {
				p := pair{src, s.path("stopped")}
				copyDir(t, s.dst1, p.dst)
				p.setPosition(t, func(pos *state.Position) { pos.Phase = state.Publishing })
				arrange()
				seen(t, p.dst)
				_, err := p.sync(s.opt)
				require.NoError(t, err, name)
				seen(t, p.dst)
				p.checkLoose(t, name)
				want := s.want1
				if src == s.src2 {
					want = s.want2
				}
				require.Equal(t, want[0], read(t, at("db.log")), name)
				for _, rest := range []string{"db.log.loading", "log.idx.loading"} {
					require.NoFileExists(t, at(rest), name)
				}
				if !noIndex {
					require.NotEmpty(t, indexes(), name)
				}
			}
		}
	}
}

// checkLoose is check, but log.idx may be missing: Datomic Local makes it anew.
func (p pair) checkLoose(t testing.TB, what string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join(p.dst, "log.idx")); err != nil {
		t.Logf("%s: log.idx is left missing", what)
		return
	}
	p.check(t)
}

// A kill while the map is being stored leaves a part of it, or all but the mark that says so.
func TestStopMap(t *testing.T) {
	small(t, 1000)
	s := newScenario(t, 11, 30, 5, session.Options{})
	p := pair{s.src1, s.path("stopped")}
	_, err := p.sync(s.at(pull(1)))
	require.ErrorIs(t, err, errPlug)
	pos := p.position(t)
	require.True(t, pos.Mapped)
	p.setPosition(t, func(pos *state.Position) { pos.Mapped = false })
	p.must(t, s.opt)
	sameLogs(t, s.want1, p.log(t), "map stored again")
	p.check(t)
}

// A recovery that is interrupted between its own acts is done again.
func TestTornThenDrift(t *testing.T) {
	small(t, 3)
	s := newScenario(t, 12, 25, 12, session.Options{})
	p := pair{s.src2, s.path("stopped")}
	copyDir(t, s.dst1, p.dst)
	p.stopAt(t, replay.BeforeCommit, s.opt)
	whole, pos := p.log(t), p.position(t)
	stopped := s.path("stopped.kept")
	copyDir(t, p.dst, stopped)
	txs, err := historytest.Split([]byte(whole[0]))
	require.NoError(t, err)

	// Someone transacts behind the whole group, or behind the part of it that was written.
	for frames := range 4 {
		n := len(txs) - 3 + frames
		if txs[n-1].T <= pos.Clone.T {
			continue
		}
		copyDir(t, stopped, p.dst)
		require.NoError(t, os.WriteFile(filepath.Join(p.dst, "db.log"), []byte(whole[0][:txs[n-1].To]), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(p.dst, "log.idx"), []byte(whole[1][:8*n]), 0o600))
		strangerTransacts(t, p.dst)
		before := p.log(t)
		_, err := p.sync(s.opt)
		var drift *dest.DriftError
		require.ErrorAs(t, err, &drift, "%d frames of the group", frames)
		require.Equal(t, txs[n-1].T+1, drift.T, "%d frames of the group", frames)
		require.Equal(t, before, p.log(t))
		_, err = p.sync(s.opt)
		require.ErrorAs(t, err, &drift)
		require.Equal(t, before, p.log(t))
	}
}
