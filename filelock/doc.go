// Package filelock keeps the processes apart that go test runs beside each other, one for each package, where they
// fill one cache.
package filelock
