package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"dclone"
	"dclone/address"
	"dclone/datomic/live"
	"dclone/datomic/local"
	"dclone/source"
	sourcelive "dclone/source/live"
)

// What helps where Datomic's own library is needed and cannot be had.
const (
	tryJava    = "a Java runtime, 11 or later, on the PATH or in JAVA_HOME"
	tryLibrary = "--datomic-classpath, " + live.ClasspathVariable + ", or a deps.edn or pom.xml in this directory that has " +
		"the library that reaches the database"
	tryJVM = "the same command again; --verbose shows what the JVM says, --jvm-opts -Xmx1g gives it more memory"
)

// liveOptions are the flags for what is reached through Datomic's own library.
type liveOptions struct {
	classpath string
	jvmOpts   string
	chunk     number
	rate      number
	verbose   bool // show what JVMs say

	shared sharedChild
}

// A sharedChild is the source's JVM, where the destination is to be reached through it too: a second one would take
// seconds.
type sharedChild struct {
	wanted bool
	child  *live.Child // nil where there is none to share, or no more
	killed bool        // for the destination's sake
}

// take returns the JVM, and how the destination ends it. It gives it away once.
func (s *sharedChild) take() (child *live.Child, end func()) {
	if child, s.child = s.child, nil; child == nil {
		return nil, nil
	}
	return child, func() {
		s.killed = true
		child.Kill()
	}
}

// A side is which of the two databases something is about.
type side string

const (
	theSource side = "source"
	theDest   side = "destination"
)

// code returns the exit code of what goes wrong on a side.
func (s side) code() int {
	if s == theDest {
		return codeDest
	}
	return codeSource
}

// in says of an error on which side it was met.
func (s side) in(err error) error {
	if s == theDest {
		return dclone.InDest(err)
	}
	return dclone.InSource(err)
}

const defaultChunk = 5000

// liveFlags lets a command read live sources.
func (p *program) liveFlags(f *pflag.FlagSet) {
	p.live.chunk = defaultChunk
	f.Var(&p.live.chunk, "read-chunk", "`N` datoms to ask a live source for at a time; of no effect with what is read natively")
	f.Var(&p.live.rate, "limit-rate", "`N` datoms a second to read from a live source (default no limit)")
	p.childFlags(f)
}

// childFlags lets a command start a JVM.
func (p *program) childFlags(f *pflag.FlagSet) {
	f.StringVar(&p.live.classpath, "datomic-classpath", "",
		"where Datomic's own library is, for live databases (default "+live.ClasspathVariable+", or what deps.edn or pom.xml here says)")
	f.StringVar(&p.live.jvmOpts, "jvm-opts", "", "`OPTIONS` of the JVM for live databases, parted by blanks (default -Xmx512m)")
}

// verboseFlag lets a command that has no flag --verbose of its own show what the JVM says.
func (p *program) verboseFlag(f *pflag.FlagSet) {
	f.BoolFuncP("verbose", "v", "show what the JVM of a live database says", func(string) error {
		p.live.verbose = true
		return nil
	})
}

// openLive opens a database to be read through Datomic's own library, in a JVM that ends when the database is closed.
func (p *program) openLive(ctx context.Context, of side, a address.Address) (source.Conn, error) {
	if err := oneDatabase(a); err != nil {
		return nil, err
	}
	child, err := p.startChild(ctx, of)
	if err != nil {
		return nil, noLive(of, a, err)
	}
	conn, err := p.connect(ctx, child, a)
	if err != nil {
		child.Close()
		return nil, noLive(of, a, err)
	}
	if of == theSource && p.live.shared.wanted {
		p.live.shared.child = child
	}
	return conn, nil
}

// startChild starts a JVM that has Datomic's library.
func (p *program) startChild(ctx context.Context, of side) (*live.Child, error) {
	opt, err := p.childOptions(ctx, of)
	if err != nil {
		return nil, err
	}
	return live.Start(ctx, opt)
}

// childOptions say how a JVM is started that has Datomic's library.
func (p *program) childOptions(ctx context.Context, of side) (opt live.Options, err error) {
	opt.JVMOpts = strings.Fields(p.live.jvmOpts)
	if p.live.verbose && !p.json {
		opt.Log = func(line string) { p.note("jvm of the %s: %s", of, line) }
	}
	opt.Classpath, err = live.Classpath(ctx, p.live.classpath, ".")
	return opt, err
}

func (p *program) connect(ctx context.Context, child *live.Child, a address.Address) (source.Conn, error) {
	api, arg, name := liveArgs(a)
	db, err := child.Connect(ctx, api, arg, name)
	if err != nil {
		return nil, err
	}
	return sourcelive.Open(ctx, db, sourcelive.Options{Chunk: int(p.live.chunk), Rate: int(p.live.rate), Child: child})
}

// liveArgs are what Datomic's library is told of a database.
func liveArgs(a address.Address) (api, arg, name string) {
	switch a := a.(type) {
	case address.Client:
		return live.ClientAPI, a.Arg(), a.DB
	case address.Peer:
		return live.PeerAPI, a.URI(), a.DB
	}
	return "", "", ""
}

// isLive reports whether an address is of what is reached through Datomic's own library.
func isLive(a address.Address) bool {
	api, _, _ := liveArgs(a)
	return api != ""
}

// noLive says of an error in opening what can be done about it.
func noLive(of side, a address.Address, err error) error {
	err = fmt.Errorf("open %s %s: %w", of, a, err)
	var missing *live.MissingError
	dir := directory(a)
	switch {
	case isInUse(err) && of == theSource && dir != "":
		return &failure{codeSource, err, address.Scheme + dir + ", which is read without a lock"}
	case isInUse(err):
		return fmt.Errorf("open %s %s: %w", of, a, local.ErrLocked)
	case errors.Is(err, live.ErrNoDatabase) && of == theSource:
		return &failure{codeNone, err, "the name of a database that is there; dclone makes none in a source"}
	case errors.As(err, &missing) && strings.HasPrefix(missing.What, "no java"):
		return &failure{of.code(), err, tryJava}
	case errors.As(err, &missing):
		return &failure{of.code(), err, tryLibrary}
	}
	return of.in(err)
}

// isInUse reports whether Datomic Local says that another process has the database open.
func isInUse(err error) bool {
	var remote *live.RemoteError
	return errors.As(err, &remote) && strings.Contains(remote.Message, "is in use by another process")
}
