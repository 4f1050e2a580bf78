package s3

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"dclone/store"
)

var (
	// ErrUnreachable says that there is no S3 server where one should be.
	ErrUnreachable = errors.New("the server cannot be reached")
	// ErrConfiguration says that what the environment or ~/.aws say cannot be used.
	ErrConfiguration = errors.New("the configuration of AWS cannot be used")
	// ErrRefused says that a server knows what is asked for, and will not have it so.
	ErrRefused = errors.New("the server refuses it")
)

// kindError is an error of the SDK under a sentence of ours, and of a kind that callers know.
type kindError struct {
	said  string
	kind  error
	cause error // what the SDK says; may be nil
}

func (e *kindError) Error() string   { return e.said }
func (e *kindError) Unwrap() []error { return []error{e.kind, e.cause} }

func noCredentials(cause error) error {
	return &kindError{fmt.Sprintf("no AWS credentials were found in environment, profile, SSO or role: %v", cause), fs.ErrPermission, cause}
}

// fail says of an error of the SDK what was done, to which file, and what is wrong.
func (f *Files) fail(verb, key string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", verb, f.address(key), f.explain(err))
}

// explain finds the sentence and the kind for an error of the SDK. What it does not know it leaves,
// where the SDK's own words must do.
func (f *Files) explain(err error) error {
	code, message := codeOf(err)
	switch status := statusOf(err); {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case code == "NoSuchBucket":
		return &kindError{fmt.Sprintf("there is no bucket %s", f.bucket), store.ErrNoDatabase, err}
	case code == "NoSuchKey", code == "NotFound": // the latter is all that the answer to HEAD tells
		return &kindError{store.ErrMissing.Error(), store.ErrMissing, err}
	case code == "PreconditionFailed", status == http.StatusPreconditionFailed:
		return &kindError{"it is there", fs.ErrExist, err}
	case status == http.StatusMovedPermanently, code == "AuthorizationHeaderMalformed", code == "IllegalLocationConstraintException":
		return &kindError{fmt.Sprintf("bucket %s is in %s; set AWS_REGION", f.bucket, regionOf(err)), store.ErrNoDatabase, err}
	case status == http.StatusForbidden, status == http.StatusUnauthorized, denials[code]:
		return &kindError{fmt.Sprintf("the server denies it: %s", reason(code, message)), fs.ErrPermission, err}
	case code != "":
		return &kindError{fmt.Sprintf("%v: %s%s", ErrRefused, reason(code, message), requestOf(err)), ErrRefused, err}
	case isA[*smithyhttp.RequestSendError](err):
		return &kindError{fmt.Sprintf("%v: %v", ErrUnreachable, sendingOf(err)), ErrUnreachable, err}
	}
	return err
}

// denials are the codes that are about credentials, whatever the status they come with.
var denials = map[string]bool{"ExpiredToken": true, "InvalidToken": true, "InvalidAccessKeyId": true, "SignatureDoesNotMatch": true,
	"AccessDenied": true, "XAdminUserNotFound": true}

func isA[T error](err error) bool {
	var t T
	return errors.As(err, &t)
}

// sendingOf is what went wrong in sending a request, without the request.
func sendingOf(err error) error {
	var sending *smithyhttp.RequestSendError
	var request *url.Error
	switch {
	case errors.As(err, &request):
		return request.Err
	case errors.As(err, &sending):
		return sending.Err
	}
	return err
}

// requestOf names a request, as those who run a server want to know it.
func requestOf(err error) string {
	if e := (*awshttp.ResponseError)(nil); errors.As(err, &e) && e.RequestID != "" {
		return " (request " + e.RequestID + ")"
	}
	return ""
}

// reason is what a server says of a refusal. The answer to HEAD has no words.
func reason(code, message string) string {
	if message == "" || code == message {
		return code
	}
	return code + ": " + message
}

func codeOf(err error) (code, message string) {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode(), api.ErrorMessage()
	}
	return "", ""
}

func isCode(err error, code string) bool {
	c, _ := codeOf(err)
	return c == code
}

func responseOf(err error) *http.Response {
	if e := (*awshttp.ResponseError)(nil); errors.As(err, &e) && e.Response != nil {
		return e.Response.Response
	}
	return nil
}

func statusOf(err error) int {
	if r := responseOf(err); r != nil {
		return r.StatusCode
	}
	return 0
}

func regionOf(err error) string {
	if r := responseOf(err); r != nil {
		if region := r.Header.Get("X-Amz-Bucket-Region"); region != "" {
			return "region " + region
		}
	}
	return "another region"
}
