// Package state keeps the sidecar: one bbolt file beside each clone, with all that a later run
// must know and the clone does not tell.
//
//	meta   session   JSON, who is cloned to where, and how
//	       position  JSON, how far the clone has come
//	       intent    what a group is about to write, while it may be half written
//	schema n:8       the source's schema datoms so far, in the order of its log
//	eid.*            the entity-id map, see package eidmap
//
// Everything a group changes is changed in one bbolt transaction. Values of the source never
// come here, but for schema: digests are keyed, and the id map holds numbers.
package state
