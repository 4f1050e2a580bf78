package live

import (
	"embed"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed bridge/*.clj
var bridge embed.FS

// booted are the files of the bridge that need no library.
var booted = []string{"wire.clj", "main.clj"}

// boot reads the bridge from stdin. That the pipe's other end may print is taken away first.
const boot = `
(let [in (java.io.DataInputStream. (java.io.BufferedInputStream. System/in))
      text (fn [] (let [b (byte-array (.readInt in))] (.readFully in b) (String. b "UTF-8")))]
  (System/setOut System/err)
  (alter-var-root #'*out* (constantly *err*))
  (dotimes [_ (.readInt in)]
    (let [file (text)]
      (clojure.lang.Compiler/load (java.io.StringReader. (text)) file file)))
  ((resolve 'dclone.main/run) in))`

// jvmOptions come before those of the user, of which the last of a kind wins. Most children live for seconds: what is
// compiled for them had better be what they go on with.
var jvmOptions = []string{"-Xmx512m", "-XX:CompileThresholdScaling=5", "-XX:+ExitOnOutOfMemoryError", "-XX:+DisplayVMOutputToStderr",
	"-Djava.awt.headless=true", "-Dfile.encoding=UTF-8"}

// findJava returns the program to run.
func findJava() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		if java, err := exec.LookPath(filepath.Join(home, "bin", "java")); err == nil {
			return java, nil
		}
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return "", &MissingError{"no java: install a Java runtime, 11 or later, or set JAVA_HOME; " +
			"only databases that dclone cannot read from disk need it"}
	}
	return java, nil
}

// javaArgs returns the arguments of java.
func javaArgs(classpath string, options []string) []string {
	args := append([]string(nil), jvmOptions...)
	if !strings.Contains(strings.Join(options, " "), "GC") {
		args = append(args, "-XX:+UseSerialGC") // two collectors would be an error
	}
	args = append(args, options...)
	return append(args, "-cp", classpath, "clojure.main", "-e", boot)
}

// bootText is what BOOT reads.
func bootText() ([]byte, error) {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(booted)))
	for _, name := range booted {
		source, err := bridge.ReadFile("bridge/" + name)
		if err != nil {
			return nil, err
		}
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(name))), name...)
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(source))), source...)
	}
	return b, nil
}
