// Package s3 keeps the files of a backup in Amazon S3 or what speaks like it, each under its key
// behind a prefix.
//
// Credentials, region and endpoint are found as AWS's own tools find them: in the environment (the
// old names AWS_ACCESS_KEY and AWS_SECRET_KEY too), in profiles, by SSO and by roles. With an endpoint
// of one's own, AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_S3, the bucket is in the path of requests.
//
// Errors that the user can do something about are sentences: they wrap fs.ErrPermission where
// credentials are missing or do not suffice, store.ErrNoDatabase where there is no such bucket. Requests
// are tried again by the SDK, AWS_MAX_ATTEMPTS times. S3 has no locks, so Lock does nothing: two
// that write one backup at once write the same segments, each whole, and do no harm to one another.
package s3
