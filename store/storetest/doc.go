// Package storetest holds what every store must do: one suite for the files of a backup, one for
// databases, whatever they lie in.
package storetest
