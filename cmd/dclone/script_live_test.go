package main

import (
	"dclone/datomic/live"
	"dclone/interop"
)

// live does what scripts about live sources want, and reports whether that is what one wants:
//
//	datomic    have Datomic Local's library; the script ends where there is none. $L is the source that most
//	           scripts use, through the client API
func (s *script) live(name string) bool {
	if name != "datomic" {
		return false
	}
	s.env = append(s.env, live.ClasspathVariable+"="+interop.Classpath(s.t))
	s.vars = append(s.vars, "$L", `client:{:server-type :datomic-local :storage-dir "`+s.dir+`" :system "dev"}#shop`)
	return true
}
