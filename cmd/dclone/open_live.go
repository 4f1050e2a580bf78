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
	"dclone/source"
	sourcelive "dclone/source/live"
)

// What helps where Datomic's own library is needed and cannot be had.
const (
	tryJava    = "a Java runtime, 11 or later, on the PATH or in JAVA_HOME"
	tryLibrary = "--datomic-classpath, " + live.ClasspathVariable + ", or a deps.edn or pom.xml in this directory that has " +
		"com.datomic/local or com.datomic/peer, which are on Maven Central"
	tryJVM = "the same command again; --verbose shows what the JVM says, --jvm-opts -Xmx1g gives it more memory"
)

// liveOptions are the flags for what is reached through Datomic's own library.
type liveOptions struct {
	classpath string
	jvmOpts   string
	chunk     number
	rate      number
	log       func(line string) // takes what the JVM says; nil where nobody wants to know
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
		"where Datomic's own library is, for live sources (default "+live.ClasspathVariable+", or what deps.edn or pom.xml here says)")
	f.StringVar(&p.live.jvmOpts, "jvm-opts", "", "`OPTIONS` of the JVM for live sources, parted by blanks (default -Xmx512m)")
}

// verboseFlag lets a command that has no flag --verbose of its own show what the JVM says.
func (p *program) verboseFlag(f *pflag.FlagSet) {
	f.BoolFuncP("verbose", "v", "show what the JVM of a live source says", func(string) error {
		p.live.log = p.jvmLine
		return nil
	})
}

func (p *program) jvmLine(line string) {
	if !p.json {
		p.note("jvm: %s", line)
	}
}

// openLive opens a database through Datomic's own library, in a JVM that ends when the database is closed.
func (p *program) openLive(ctx context.Context, a address.Address) (source.Conn, error) {
	child, err := p.startChild(ctx)
	if err != nil {
		return nil, noLive(a, err)
	}
	conn, err := p.connect(ctx, child, a)
	if err != nil {
		child.Close()
		return nil, noLive(a, err)
	}
	return conn, nil
}

// startChild starts a JVM that has Datomic's library.
func (p *program) startChild(ctx context.Context) (*live.Child, error) {
	classpath, err := live.Classpath(ctx, p.live.classpath, ".")
	if err != nil {
		return nil, err
	}
	return live.Start(ctx, live.Options{Classpath: classpath, JVMOpts: strings.Fields(p.live.jvmOpts), Log: p.live.log})
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
func noLive(a address.Address, err error) error {
	var missing *live.MissingError
	switch {
	case errors.Is(err, live.ErrNoDatabase):
		return &failure{codeNone, fmt.Errorf("open source %s: %w", a, err), "the name of a database that is there; dclone makes none in a source"}
	case errors.As(err, &missing) && strings.HasPrefix(missing.What, "no java"):
		return &failure{codeSource, fmt.Errorf("open source %s: %w", a, err), tryJava}
	case errors.As(err, &missing):
		return &failure{codeSource, fmt.Errorf("open source %s: %w", a, err), tryLibrary}
	}
	return dclone.InSource(fmt.Errorf("open source %s: %w", a, err))
}
