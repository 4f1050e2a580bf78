package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/logging"

	"dclone/store"
)

// Options say how files are kept.
type Options struct {
	SSE bool // encrypted by the server, with its keys: AES256
}

// Files are the objects of a bucket behind a prefix.
type Files struct {
	client         *s3.Client
	bucket, prefix string // the prefix ends with a slash, or is empty
	options        Options
}

var _ store.Files = (*Files)(nil)

// defaultRegion is used where none is configured. Servers of one's own have no regions, but requests
// are signed for one.
const defaultRegion = "us-east-1"

// Open returns the files in a bucket, behind a prefix that may be empty. It finds credentials, but
// does not yet ask the server anything.
func Open(ctx context.Context, bucket, prefix string, opt Options) (*Files, error) {
	f := &Files{bucket: bucket, options: opt}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		if err := store.CheckKey(prefix); err != nil {
			return nil, fmt.Errorf("open s3://%s/%s: %w", bucket, prefix, err)
		}
		f.prefix = prefix + "/"
	}
	if bucket == "" {
		return nil, fmt.Errorf("open %s: it names no bucket", f)
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithDefaultRegion(defaultRegion), config.WithLogger(logging.Nop{}),
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(transport)))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w: %w", f, ErrConfiguration, err)
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("open %s: %w", f, noCredentials(err))
	}
	f.client = s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil })
	return f, nil
}

// transport has as many connections stay open as a copy may use at once, and gives servers up that
// take a request and say nothing.
func transport(t *http.Transport) {
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 256, 256
	t.ResponseHeaderTimeout = time.Minute
}

// String returns the address.
func (f *Files) String() string { return strings.TrimSuffix("s3://"+f.bucket+"/"+f.prefix, "/") }

// Close does nothing.
func (f *Files) Close() error { return nil }

// Lock does nothing.
func (f *Files) Lock(ctx context.Context) error { return ctx.Err() }

// key returns the name of the object that is a file, for requests.
func (f *Files) key(key string) (*string, error) {
	return aws.String(f.prefix + key), store.CheckKey(key)
}

// address returns what errors call a file.
func (f *Files) address(key string) string { return f.String() + "/" + key }

// readAttempts is how often a file is asked for whose bytes break off: the SDK tries again only
// until they begin.
const readAttempts = 3

// Get reads a file.
func (f *Files) Get(ctx context.Context, key string) ([]byte, error) {
	object, err := f.key(key)
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		out, err := f.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &f.bucket, Key: object})
		if err != nil {
			return nil, f.fail("read", key, err)
		}
		data, err := readBody(out)
		if err == nil {
			return data, nil
		}
		if attempt == readAttempts || ctx.Err() != nil || errors.Is(err, errTooLarge) {
			return nil, f.fail("read", key, err)
		}
	}
}

var errTooLarge = fmt.Errorf("it has more than %d bytes", store.MaxFile)

func readBody(out *s3.GetObjectOutput) ([]byte, error) {
	defer out.Body.Close()
	size := aws.ToInt64(out.ContentLength)
	if size > store.MaxFile {
		return nil, errTooLarge
	}
	// The server's word for the size is believed only so far.
	var b bytes.Buffer
	b.Grow(int(min(max(size, 0), 1<<20)) + bytes.MinRead)
	if _, err := b.ReadFrom(io.LimitReader(out.Body, store.MaxFile+1)); err != nil {
		return nil, err
	}
	if b.Len() > store.MaxFile {
		return nil, errTooLarge
	}
	return b.Bytes(), nil
}

// Has reports whether there is a file.
func (f *Files) Has(ctx context.Context, key string) (bool, error) {
	object, err := f.key(key)
	if err != nil {
		return false, err
	}
	_, err = f.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &f.bucket, Key: object})
	if err = f.fail("look for", key, err); errors.Is(err, store.ErrMissing) {
		return false, nil
	}
	return err == nil, err
}

// List returns the names of the files in a directory. An object that stands for the directory, as
// some tools make them, is none.
func (f *Files) List(ctx context.Context, dir string) ([]string, error) {
	object, err := f.key(dir)
	if err != nil {
		return nil, err
	}
	prefix := *object + "/"
	pages := s3.NewListObjectsV2Paginator(f.client, &s3.ListObjectsV2Input{
		Bucket: &f.bucket, Prefix: &prefix, Delimiter: aws.String("/")})
	var names []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, f.fail("list", dir, err)
		}
		for _, o := range page.Contents {
			if name, ok := strings.CutPrefix(aws.ToString(o.Key), prefix); ok && name != "" {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// Put writes a file.
func (f *Files) Put(ctx context.Context, key string, data []byte) error {
	return f.put(ctx, key, data, nil)
}

// createAttempts is how often a file is written that another writes at the same moment.
const createAttempts = 5

// Create writes a file where there is none.
func (f *Files) Create(ctx context.Context, key string, data []byte) (bool, error) {
	for attempt := 1; ; attempt++ {
		err := f.put(ctx, key, data, aws.String("*"))
		if errors.Is(err, fs.ErrExist) {
			return false, nil
		}
		if isCode(err, "NotImplemented") {
			return f.createUnsafe(ctx, key, data)
		}
		if attempt == createAttempts || !isCode(err, "ConditionalRequestConflict") {
			return err == nil, err
		}
	}
}

// createUnsafe is Create for servers that know no conditions: a look before must do.
func (f *Files) createUnsafe(ctx context.Context, key string, data []byte) (bool, error) {
	if has, err := f.Has(ctx, key); err != nil || has {
		return false, err
	}
	err := f.Put(ctx, key, data)
	return err == nil, err
}

func (f *Files) put(ctx context.Context, key string, data []byte, ifNoneMatch *string) error {
	object, err := f.key(key)
	if err != nil {
		return err
	}
	in := &s3.PutObjectInput{Bucket: &f.bucket, Key: object, IfNoneMatch: ifNoneMatch,
		Body: bytes.NewReader(data), ContentLength: aws.Int64(int64(len(data)))}
	if f.options.SSE {
		in.ServerSideEncryption = types.ServerSideEncryptionAes256
	}
	_, err = f.client.PutObject(ctx, in)
	return f.fail("write", key, err)
}
