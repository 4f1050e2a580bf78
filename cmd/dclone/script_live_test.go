package main

import (
	"os"
	"path/filepath"

	"dclone/datomic/live"
	"dclone/interop"
)

// live does what scripts about live sources want, and reports whether that is what one wants:
//
//	datomic    have Datomic Local's library; the script ends where there is none. $L is the source that most
//	           scripts use, through the client API, and $M the destination
//	transactor have Datomic Pro's library, and in each JVM of dclone's a stand-in for a transactor
func (s *script) live(name string) bool {
	switch name {
	case "datomic":
		s.classpath(interop.Classpath(s.t))
	case "transactor":
		s.classpath(s.transactor() + string(filepath.ListSeparator) + interop.ProClasspath(s.t))
	default:
		return false
	}
	client := `client:{:server-type :datomic-local :storage-dir "` + s.dir + `" :system "dev"}`
	s.vars = append(s.vars, "$L", client+"#shop", "$M", client+"#clone")
	return true
}

func (s *script) classpath(path string) {
	// What runs for seconds is not worth a second compiler's work.
	s.env = append(s.env, live.ClasspathVariable+"="+path, "JAVA_TOOL_OPTIONS=-XX:TieredStopAtLevel=1")
}

// transactor makes a directory for the class path that puts a transactor into a JVM: Clojure loads user.clj at first.
func (s *script) transactor() string {
	dir := filepath.Join(s.dir, "classpath")
	s.must(os.Mkdir(dir, 0o777))
	s.must(os.WriteFile(filepath.Join(dir, "transactor.clj"), []byte(interop.Script(s.t, "transactor")), 0o666))
	s.must(os.WriteFile(filepath.Join(dir, "user.clj"), []byte("(require 'transactor) (transactor/install!)"), 0o666))
	return dir
}
