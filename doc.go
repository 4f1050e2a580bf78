// Package dclone holds the words the rest of the program is written in.
//
// They are Datomic's own. A database is a set of datoms: an entity, an attribute, a value, the
// transaction that added or retracted it. A transaction has a t; the largest t in a database
// value is its basis-t. Every other package imports these words and little else.
//
// A [Value] is kept as the bytes the source stored, because most values of a clone are never
// looked into: they are carried. Package fressian turns one into a Go value when somebody must.
package dclone
