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
		if err := ctx.Err(); err != nil {
			yield("", err)
			return
		}
		ctx, cancel := context.WithCancel(ctx) // or a caller that stops leaves the listing running
		defer cancel()
		for info := range b.api.ListObjectsIter(ctx, b.bucket, minio.ListObjectsOptions{Prefix: b.prefix}) {
			if info.Err != nil {
				yield("", b.failed("list the pictures", info.Err))
				return
			}
			key := strings.TrimPrefix(info.Key, b.prefix)
			if blob.ValidKey(key) && info.LastModified.Before(before) && !yield(key, nil) {
				return
			}
		}
	}
}
