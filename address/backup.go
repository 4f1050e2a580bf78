package address

import (
	"errors"
	"path/filepath"
	"regexp"
	"strings"

	"dclone"
)

const (
	schemeDirectory = "file:"
	schemeBucket    = "s3:"
)

// A Directory names a backup in a directory.
type Directory struct {
	Path string   // absolute, clean
	T    dclone.T // of the restore point, or Newest
}

// String returns the canonical form.
func (a Directory) String() string { return schemeDirectory + a.Path + pointText(a.T) }

// Kind says what is named.
func (a Directory) Kind() string { return kindDirectory }

// Point returns the restore point.
func (a Directory) Point() (t dclone.T, ok bool) { return a.T, a.T != Newest }

// At returns the backup at another restore point.
func (a Directory) At(t dclone.T) Backup { return Directory{a.Path, t} }

func parseDirectory(text string) (Directory, error) {
	rest, t, err := cutPoint(text)
	if err != nil {
		return Directory{}, err
	}
	path := strings.TrimPrefix(rest, schemeDirectory)
	host, two := strings.CutPrefix(path, "//")
	switch {
	case strings.ContainsRune(path, 0):
		return Directory{}, refuse(text, errZero, "")
	case two && !strings.HasPrefix(host, "/"):
		return Directory{}, refuse(text, errHost, schemeDirectory+"/"+host)
	case strings.HasPrefix(path, "~"):
		return Directory{}, refuse(text, errTilde, schemeDirectory+`"$HOME"/…`)
	case path == "":
		return Directory{}, refuse(text, errNoPath, schemeDirectory+"/path/to/backup")
	case !strings.HasPrefix(path, "/"):
		try := schemeDirectory + "/path/to/backup"
		if abs, err := filepath.Abs(path); err == nil {
			try = schemeDirectory + abs
		}
		return Directory{}, refuse(text, errNotWhole, try)
	}
	return Directory{filepath.Clean(path), t}, nil
}

// A Bucket names a backup in S3.
type Bucket struct {
	Bucket string
	Prefix string   // of the keys, without slashes at its ends; perhaps ""
	T      dclone.T // of the restore point, or Newest
}

// String returns the canonical form.
func (a Bucket) String() string {
	text := schemeBucket + "//" + a.Bucket
	if a.Prefix != "" {
		text += "/" + a.Prefix
	}
	return text + pointText(a.T)
}

// Kind says what is named.
func (a Bucket) Kind() string { return kindBucket }

// Point returns the restore point.
func (a Bucket) Point() (t dclone.T, ok bool) { return a.T, a.T != Newest }

// At returns the backup at another restore point.
func (a Bucket) At(t dclone.T) Backup { return Bucket{a.Bucket, a.Prefix, t} }

// bucketName is what S3 servers call a bucket, Amazon's oldest among them.
var bucketName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

func parseBucket(text string) (Bucket, error) {
	const usage = "s3://bucket/prefix"
	rest, t, err := cutPoint(text)
	if err != nil {
		return Bucket{}, err
	}
	path, ok := strings.CutPrefix(rest, schemeBucket+"//")
	bucket, prefix, _ := strings.Cut(path, "/")
	switch {
	case !ok:
		return Bucket{}, refuse(text, errNoBucket, "s3://"+strings.TrimLeft(strings.TrimPrefix(rest, schemeBucket), "/"))
	case strings.ContainsAny(path, "\x00\n\r"):
		return Bucket{}, refuse(text, errZero, "")
	case strings.ContainsRune(path, '@') && !bucketName.MatchString(bucket):
		return Bucket{}, refuse(text, errS3Keys, usage)
	case !bucketName.MatchString(bucket):
		return Bucket{}, refuse(text, errNoBucket, usage)
	}
	return Bucket{bucket, strings.Trim(prefix, "/"), t}, nil
}

var (
	errHost     = errors.New("two slashes would be followed by the name of a host")
	errNoPath   = errors.New("it does not name a directory")
	errNotWhole = errors.New("the path of a backup must be absolute")
	errNoBucket = errors.New("it does not name a bucket")
	errS3Keys   = errors.New("it holds keys, which belong into the environment or ~/.aws")
)
