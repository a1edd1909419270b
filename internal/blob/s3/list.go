package s3

import (
	"context"
	"iter"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/savepage/savepage/internal/blob"
)

// Keys yields every key that was stored before the time, by the service's clock, in no order. It stops at the first error. Blobs
// may be put and deleted meanwhile. What is in the bucket outside of the prefix, or has a name that no key can have, is passed over.
func (b *Bucket) Keys(ctx context.Context, before time.Time) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for info, err := range b.objects(ctx) {
			if err != nil {
				yield("", err)
				return
			}
			if info.LastModified.Before(before) && !yield(info.Key, nil) {
				return
			}
		}
	}
}

// Usage adds up the blobs. A bucket has no known end.
func (b *Bucket) Usage(ctx context.Context) (blob.Usage, error) {
	u := blob.Usage{Free: blob.Unbounded}
	for info, err := range b.objects(ctx) {
		if err != nil {
			return u, err
		}
		u.Blobs, u.Bytes = u.Blobs+1, u.Bytes+info.Size
	}
	return u, nil
}

// Tidy gives up uploads in parts that began before the time, by the service's clock, and were never completed: their parts cost
// as much as pictures, and no listing shows them.
func (b *Bucket) Tidy(ctx context.Context, before time.Time, ours func(key string) bool) (removed int, err error) {
	for more, key, id := true, "", ""; more; {
		page, err := b.uploads(ctx, key, id)
		if err != nil {
			return removed, err
		}
		for _, one := range page.Uploads {
			if key, in := strings.CutPrefix(one.Key, b.prefix); !in || !blob.ValidKey(key) || !ours(key) || !one.Initiated.Before(before) {
				continue
			}
			if err := (&upload{bucket: b, name: one.Key, id: one.UploadID}).abort(ctx); err != nil {
				return removed, err
			}
			removed++
		}
		more, key, id = page.IsTruncated, page.NextKeyMarker, page.NextUploadIDMarker
	}
	return removed, nil
}

// uploads lists some of the uploads that are not completed, from a place on. A service that lists none has none to give up.
func (b *Bucket) uploads(ctx context.Context, key, id string) (minio.ListMultipartUploadsResult, error) {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	page, err := b.api.ListMultipartUploads(ctx, b.bucket, b.prefix, key, id, "", uploadsAtOnce)
	if err != nil && minio.ToErrorResponse(err).Code != minio.NotImplemented {
		return page, b.failed("list the uploads that are not completed", err)
	}
	return page, nil
}

// uploadsAtOnce is how many uploads are listed by one request: S3 lists no more.
const uploadsAtOnce = 1000

// objects yields every object that has a key for its name, which is in Key without the prefix.
func (b *Bucket) objects(ctx context.Context) iter.Seq2[minio.ObjectInfo, error] {
	return func(yield func(minio.ObjectInfo, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(minio.ObjectInfo{}, err)
			return
		}
		ctx, cancel := context.WithCancel(ctx) // or a caller that stops leaves the listing running
		defer cancel()
		for info := range b.api.ListObjectsIter(ctx, b.bucket, minio.ListObjectsOptions{Prefix: b.prefix}) {
			if info.Err != nil {
				yield(minio.ObjectInfo{}, b.failed("list the pictures", info.Err))
				return
			}
			info.Key = strings.TrimPrefix(info.Key, b.prefix)
			if blob.ValidKey(info.Key) && !yield(info, nil) {
				return
			}
		}
	}
}
