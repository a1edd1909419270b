package s3

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"

	"github.com/minio/minio-go/v7"

	"github.com/savepage/savepage/internal/blob"
)

// partSize is how much of a blob is in memory at a time, in bytes. A blob of at most so many is one request. S3 takes 10,000
// parts, so that a blob may have 78 GiB.
const partSize = 8 << 20

// probeSize is how much Ready writes, in bytes.
const probeSize = 1024

// Headers of a checksum over what a request carries, which the service compares with what it got.
const (
	checksumHeader    = "X-Amz-Checksum-Crc32c"
	checksumAlgorithm = "X-Amz-Checksum-Algorithm"
)

// Put stores all that it reads under the key and returns when the service has it. A key that exists gets the new bytes; a reader
// sees the old or the new ones, never a mix.
func (b *Bucket) Put(ctx context.Context, key string, from io.Reader) error {
	if !blob.ValidKey(key) {
		return blob.ErrKey
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	var part bytes.Buffer
	more, err := fill(&part, from)
	switch {
	case err != nil:
		return err
	case more:
		return b.putParts(ctx, key, &part, from)
	}
	return b.putWhole(ctx, key, part.Bytes())
}

// fill reads the next part of a source. It returns false at the source's end.
func fill(part *bytes.Buffer, from io.Reader) (more bool, err error) {
	part.Reset()
	switch _, err = io.CopyN(part, from, partSize); {
	case err == nil:
		return true, nil
	case errors.Is(err, io.EOF):
		return false, nil
	}
	return false, err
}

// putWhole stores an object by one request.
func (b *Bucket) putWhole(ctx context.Context, name string, data []byte) error {
	if err := b.send(ctx, name, data, minio.PutObjectOptions{}); err != nil {
		return b.failed("store a picture", err)
	}
	return nil
}

// Create stores a blob under a key that has none: the service compares and stores in one step. One that knows no condition is
// asked without.
func (b *Bucket) Create(ctx context.Context, key string, data []byte) error {
	if !blob.ValidKey(key) {
		return blob.ErrKey
	}
	var options minio.PutObjectOptions
	options.SetMatchETagExcept("*")
	err := b.send(ctx, key, data, options)
	switch minio.ToErrorResponse(err).Code {
	case minio.PreconditionFailed:
		return fs.ErrExist
	case minio.NotImplemented:
		return b.putWhole(ctx, key, data)
	}
	if err != nil {
		return b.failed("create "+key, err)
	}
	return nil
}

func (b *Bucket) send(ctx context.Context, name string, data []byte, options minio.PutObjectOptions) error {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	options.ContentType, options.UserMetadata = mediaType(name), map[string]string{checksumHeader: checksum(data)}
	_, err := b.api.PutObject(ctx, b.bucket, b.prefix+name, bytes.NewReader(data), int64(len(data)), "", "", options)
	return err
}

// putParts stores a large object part by part. It is visible once all are there; where one fails nothing stays.
func (b *Bucket) putParts(ctx context.Context, name string, part *bytes.Buffer, rest io.Reader) error {
	up := upload{bucket: b, name: b.prefix + name, options: minio.PutObjectOptions{
		ContentType: mediaType(name), UserMetadata: map[string]string{checksumAlgorithm: "CRC32C"},
	}}
	id, err := b.api.NewMultipartUpload(ctx, b.bucket, up.name, up.options)
	if err != nil {
		return b.failed("begin to store a picture", err)
	}
	up.id = id
	if err := up.all(ctx, part, rest); err != nil {
		return errors.Join(err, up.abort(ctx))
	}
	return nil
}

// upload is one object that is stored part by part.
type upload struct {
	bucket  *Bucket
	name    string
	id      string
	options minio.PutObjectOptions
	parts   []minio.CompletePart
}

// all sends the first part, which is in memory and is full, and reads the others into the same memory.
func (u *upload) all(ctx context.Context, part *bytes.Buffer, rest io.Reader) error {
	for more := true; more; {
		if err := u.send(ctx, part.Bytes()); err != nil {
			return err
		}
		var err error
		if more, err = fill(part, rest); err != nil {
			return err
		}
		if !more && part.Len() > 0 {
			if err := u.send(ctx, part.Bytes()); err != nil {
				return err
			}
		}
	}
	return u.complete(ctx)
}

func (u *upload) send(ctx context.Context, part []byte) error {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	sum, number := checksum(part), len(u.parts)+1
	sent, err := u.bucket.api.PutObjectPart(ctx, u.bucket.bucket, u.name, u.id, number, bytes.NewReader(part), int64(len(part)),
		minio.PutObjectPartOptions{CustomHeader: http.Header{checksumHeader: {sum}}})
	if err != nil {
		return u.bucket.failed("store a part of a picture", err)
	}
	u.parts = append(u.parts, minio.CompletePart{PartNumber: number, ETag: sent.ETag, ChecksumCRC32C: sum})
	return nil
}

func (u *upload) complete(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	_, err := u.bucket.api.CompleteMultipartUpload(ctx, u.bucket.bucket, u.name, u.id, u.parts, minio.PutObjectOptions{})
	if err != nil {
		return u.bucket.failed("store a picture of several parts", err)
	}
	return nil
}

// abort gives back what the parts take, also when the caller has gone.
func (u *upload) abort(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestWithin)
	defer cancel()
	if err := u.bucket.api.AbortMultipartUpload(ctx, u.bucket.bucket, u.name, u.id); err != nil {
		return u.bucket.failed("give up a picture of several parts", err)
	}
	return nil
}

// mediaType is what a link that leads to the object itself says of it.
func mediaType(name string) string {
	if known := mime.TypeByExtension(path.Ext(name)); known != "" {
		return known
	}
	return "application/octet-stream"
}

func checksum(data []byte) string {
	sum := crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, sum))
}
