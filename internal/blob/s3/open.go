package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"strconv"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/savepage/savepage/internal/blob"
)

// Open opens a blob for reading; the caller closes it. Where there is none, and for a key that cannot be one, the error is
// fs.ErrNotExist. Reading ends with the context.
func (b *Bucket) Open(ctx context.Context, key string) (blob.Blob, error) {
	if !blob.ValidKey(key) {
		return nil, fs.ErrNotExist
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o := &object{bucket: b, ctx: ctx, name: b.prefix + key}
	if err := o.request(); err != nil {
		return nil, err
	}
	return o, nil
}

// Link returns an address from which anybody can read the blob for a time, signed with the store's own credentials. Those of a
// machine's role may end earlier than the link.
func (b *Bucket) Link(ctx context.Context, key string, served blob.Served) (string, error) {
	if !blob.ValidKey(key) {
		return "", fs.ErrNotExist
	}
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	if _, err := b.api.StatObject(ctx, b.bucket, b.prefix+key, minio.StatObjectOptions{}); err != nil {
		return "", b.failed("look for a picture", err)
	}
	headers := url.Values{
		"response-content-type":        {served.MediaType},
		"response-content-disposition": {served.Disposition},
		"response-cache-control":       {"private, max-age=" + strconv.Itoa(int(served.Valid.Seconds()))},
	}
	link, err := b.api.PresignedGetObject(ctx, b.bucket, b.prefix+key, served.Valid, headers)
	if err != nil {
		return "", b.failed("sign a link to a picture", err)
	}
	return link.String(), nil
}

// object is one blob that is read. The request that found it also brings its bytes; another one follows only when somebody
// reads from another place.
type object struct {
	bucket *Bucket
	ctx    context.Context //nolint:containedctx // it ends what the blob reads
	name   string
	etag   string // of the object that was found: all that is read comes from this one
	size   int64
	time   time.Time

	offset int64         // where the next byte is read from
	body   io.ReadCloser // brings the bytes from bodyAt; nil for none
	bodyAt int64
}

// Size is how many bytes the blob has.
func (o *object) Size() int64 { return o.size }

// ModTime is when the blob was stored, by the service's clock.
func (o *object) ModTime() time.Time { return o.time }

// request asks for the bytes from the offset on.
func (o *object) request() error {
	var options minio.GetObjectOptions
	if o.offset > 0 {
		if err := options.SetRange(o.offset, 0); err != nil {
			return fmt.Errorf("read a picture: %w", err)
		}
	}
	if o.etag != "" {
		if err := options.SetMatchETag(o.etag); err != nil {
			return fmt.Errorf("read a picture: %w", err)
		}
	}
	body, info, _, err := o.bucket.api.GetObject(o.ctx, o.bucket.bucket, o.name, options)
	if err != nil {
		return o.bucket.failed("read a picture", err)
	}
	o.body, o.bodyAt = body, o.offset
	if o.etag == "" {
		o.etag, o.size, o.time = info.ETag, info.Size, info.LastModified
	}
	return nil
}

func (o *object) Read(p []byte) (int, error) {
	if o.offset >= o.size {
		return 0, io.EOF
	}
	if o.body == nil || o.bodyAt != o.offset {
		if err := errors.Join(o.closeBody(), o.request()); err != nil {
			return 0, err
		}
	}
	n, err := o.body.Read(p)
	o.offset += int64(n)
	o.bodyAt = o.offset
	if errors.Is(err, io.EOF) && o.offset < o.size {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Seek sets where the next byte is read from. It asks for nothing.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.offset
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return o.offset, errors.New("seek before the begin of a picture")
	}
	o.offset = offset
	return offset, nil
}

// Close ends the request.
func (o *object) Close() error { return o.closeBody() }

func (o *object) closeBody() error {
	if o.body == nil {
		return nil
	}
	body := o.body
	o.body = nil
	return body.Close()
}
