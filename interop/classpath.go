package interop

import (
	"crypto/sha256"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"dclone/filelock"
)

//go:embed pom.xml
var localPom []byte

//go:embed pro.pom.xml
var proPom []byte

// missing is the error of a machine on which the real Datomic cannot be run at all.
type missing struct{ what string }

func (m missing) Error() string { return m.what + " is not installed" }

// requirement is the environment variable that turns skipping into failing.
const requirement = "DCLONE_REQUIRE_INTEROP"

// classpath answers the class path of a flavor's pom. Maven is asked once and the answer cached, under a lock:
// go test runs packages as processes beside each other, and Maven's repository is not made for that.
func classpath(f flavor) (string, error) {
	dir, err := cacheDir(f.pom)
	if err != nil {
		return "", err
	}
	unlock, err := filelock.Wait(filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	cache := filepath.Join(dir, "classpath")
	if cp, err := os.ReadFile(cache); err == nil && jarsExist(string(cp)) {
		return string(cp), nil
	}
	return f.resolve(dir, cache)
}

func cacheDir(pom []byte) (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(base, "dclone-interop", fmt.Sprintf("%x", sha256.Sum256(pom))[:16])
	return dir, os.MkdirAll(dir, 0o755)
}

func jarsExist(cp string) bool {
	for _, jar := range filepath.SplitList(cp) {
		if _, err := os.Stat(jar); err != nil {
			return false
		}
	}
	return cp != ""
}

func (f flavor) resolve(dir, cache string) (string, error) {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return "", missing{"mvn"}
	}
	pomFile, fresh := filepath.Join(dir, "pom.xml"), cache+".new"
	if err := os.WriteFile(pomFile, f.pom, 0o644); err != nil {
		return "", err
	}
	cmd := exec.Command(mvn, "-q", "-B", "-f", pomFile, "dependency:build-classpath", "-Dmdep.outputFile="+fresh)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("resolve class path of %s: %w\n%s", f.name, err, out)
	}
	data, err := os.ReadFile(fresh)
	if err != nil {
		return "", err
	}
	cp := strings.TrimSpace(string(data))
	if !jarsExist(cp) {
		return "", fmt.Errorf("resolve class path of %s: mvn named jars that are not there", f.name)
	}
	if err := os.WriteFile(fresh, []byte(cp), 0o644); err != nil {
		return "", err
	}
	return cp, os.Rename(fresh, cache)
}
