package interop

import "testing"

// Classpath answers the class path of Datomic Local, for tests that start a JVM of their own.
func Classpath(t testing.TB) string {
	t.Helper()
	return classpathOf(t, localFlavor)
}

// ProClasspath answers the class path of Datomic Pro's peer library and of Datomic Local.
func ProClasspath(t testing.TB) string {
	t.Helper()
	return classpathOf(t, proFlavor)
}

func classpathOf(t testing.TB, f flavor) string {
	t.Helper()
	cp, err := classpath(f)
	require(t, f, err)
	return cp
}

// Script answers the source of a script that [JVM.Load] can load, for a JVM of the test's own.
func Script(t testing.TB, name string) string {
	t.Helper()
	src, err := scripts.ReadFile("clj/" + name + ".clj")
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}
