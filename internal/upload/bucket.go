package upload

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/outbound"
)

// partSize is how large the parts of a large picture are, in bytes; a smaller one is put by one request. Nothing is held in
// memory: each part is read once for its checksums and once to be sent. S3 takes 10,000 parts.
const partSize = 16 << 20

// abortWithin is how long the parts of an attempt that failed may take to be given back.
const abortWithin = 10 * time.Second

// Headers of a checksum over what a request carries, which the service compares with what it got, and of the mark by which an
// object is known again.
const (
	checksumHeader    = "X-Amz-Checksum-Crc32c"
	checksumAlgorithm = "X-Amz-Checksum-Algorithm"
	markHeader        = "Savepage-Capture"
)

// bucket is one bucket, for one attempt.
type bucket struct {
	api      *minio.Core
	store    savepage.Store
	at       *url.URL // its endpoint
	progress *outbound.Progress
	last     string // the key that was last put
}

// object is what is put.
type object struct {
	key       string
	mark      string // of whom it is: one that is there already with the same mark was put by an attempt before
	mediaType string
	size      int64
	overwrite bool
}

// open prepares requests to a store. It asks for nothing.
func (u *Uploader) open(s savepage.Store) (*bucket, error) {
	b := &bucket{store: s, progress: &outbound.Progress{}, at: &url.URL{}}
	at, err := url.Parse(s.Endpoint)
	if err != nil {
		return b, fmt.Errorf("read the endpoint: %w", err)
	}
	lookup := minio.BucketLookupPath
	if s.Virtual() {
		lookup = minio.BucketLookupDNS
	}
	b.at = at
	b.api, err = minio.NewCore(at.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(s.Keys.AccessKeyID, s.Keys.SecretAccessKey, ""),
		Secure: at.Scheme == "https", Region: s.Region, Transport: asking{u.transport}, BucketLookup: lookup, MaxRetries: 1,
	})
	if err != nil {
		return b, fmt.Errorf("read the endpoint: %w", err)
	}
	b.api.SetAppInfo("SavePage-Store", "1")
	return b, nil
}

// traced is the context of a request that the bucket follows.
func (b *bucket) traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, b.progress.Trace())
}

// put puts an object, by one request or in parts. If another object has the key, and may not be replaced, the error is errExists.
func (b *bucket) put(ctx context.Context, o object, from *source) error {
	b.last = o.key
	err := b.send(ctx, o, from)
	if !o.overwrite && minio.ToErrorResponse(err).StatusCode == http.StatusNotImplemented {
		// A service that knows no conditions: what is there is looked for before.
		if err = b.vacant(ctx, o); err == nil {
			o.overwrite = true
			err = b.send(ctx, o, from)
		}
	}
	switch status := minio.ToErrorResponse(err).StatusCode; {
	case status == http.StatusPreconditionFailed:
		return b.mine(ctx, o)
	case err != nil && status == 0 && !o.overwrite:
		// A service that refuses at once may close the connection while the picture is on its way, and its answer is lost.
		if _, there := b.look(ctx, o); there == nil {
			return b.mine(ctx, o)
		}
	}
	return err
}

// look asks for an object.
func (b *bucket) look(ctx context.Context, o object) (minio.ObjectInfo, error) {
	return b.api.StatObject(ctx, b.store.Bucket, o.key, minio.StatObjectOptions{})
}

func (b *bucket) send(ctx context.Context, o object, from *source) error {
	if o.size > partSize {
		return b.putParts(ctx, o, from)
	}
	return b.putWhole(ctx, o, from)
}

// conditions are what every object is put with.
func conditions(o object, more map[string]string) minio.PutObjectOptions {
	options := minio.PutObjectOptions{
		ContentType: o.mediaType, UserMetadata: more,
		DisableContentSha256: true, // or what is sent is signed in pieces, which not every service takes
	}
	if !o.overwrite {
		options.SetMatchETagExcept("*")
	}
	return options
}

func (b *bucket) putWhole(ctx context.Context, o object, from *source) error {
	sums, err := sum(from, 0, o.size)
	if err != nil {
		return err
	}
	options := conditions(o, map[string]string{checksumHeader: sums.crc32c, markHeader: o.mark})
	content := onlyReader{io.LimitReader(from, o.size)}
	_, err = b.api.PutObject(ctx, b.store.Bucket, o.key, content, o.size, "", sums.sha256, options)
	return err
}

// putParts puts a large object part by part. It is visible once all are there; where one fails nothing stays.
func (b *bucket) putParts(ctx context.Context, o object, from *source) error {
	if !o.overwrite {
		if err := b.vacant(ctx, o); err != nil { // before so much is sent
			return err
		}
	}
	b.dropParts(ctx, o)
	options := conditions(object{mediaType: o.mediaType, overwrite: true}, map[string]string{
		checksumAlgorithm: "CRC32C", markHeader: o.mark,
	})
	id, err := b.api.NewMultipartUpload(ctx, b.store.Bucket, o.key, options)
	if err != nil {
		return err
	}
	parts, err := b.sendParts(ctx, o, from, id)
	if err == nil {
		_, err = b.api.CompleteMultipartUpload(ctx, b.store.Bucket, o.key, id, parts, conditions(o, nil))
	}
	if err != nil {
		b.abort(ctx, o.key, id)
	}
	return err
}

func (b *bucket) sendParts(ctx context.Context, o object, from *source, id string) ([]minio.CompletePart, error) {
	var parts []minio.CompletePart
	for offset := int64(0); offset < o.size; offset += partSize {
		size, number := min(partSize, o.size-offset), len(parts)+1
		sums, err := sum(from, offset, size)
		if err != nil {
			return nil, err
		}
		sent, err := b.api.PutObjectPart(ctx, b.store.Bucket, o.key, id, number, onlyReader{io.LimitReader(from, size)}, size,
			minio.PutObjectPartOptions{
				Sha256Hex: sums.sha256, DisableContentSha256: true, CustomHeader: http.Header{checksumHeader: {sums.crc32c}},
			})
		if err != nil {
			return nil, err
		}
		parts = append(parts, minio.CompletePart{PartNumber: number, ETag: sent.ETag, ChecksumCRC32C: sums.crc32c})
	}
	return parts, nil
}

// abort gives back what the parts take, also when the attempt's time is over. What cannot be is dropped by the next attempt.
func (b *bucket) abort(ctx context.Context, key, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortWithin)
	defer cancel()
	_ = b.api.AbortMultipartUpload(ctx, b.store.Bucket, key, id)
}

// dropParts gives back the parts of attempts that were cut off, if the key tells that they were of the same picture. A service
// that does not let it be asked keeps them until its own rules remove them.
func (b *bucket) dropParts(ctx context.Context, o object) {
	if !o.own() {
		return
	}
	found, err := b.api.ListMultipartUploads(ctx, b.store.Bucket, o.key, "", "", "", 100)
	if err != nil {
		return
	}
	for _, one := range found.Uploads {
		if one.Key == o.key {
			b.abort(ctx, o.key, one.UploadID)
		}
	}
}

// own reports whether nobody else can have chosen the key.
func (o object) own() bool { return o.mark != "" && strings.Contains(o.key, o.mark) }

// vacant returns nil when no object of another has the key, or nobody may know.
func (b *bucket) vacant(ctx context.Context, o object) error {
	_, err := b.look(ctx, o)
	switch status := minio.ToErrorResponse(err).StatusCode; {
	case err == nil:
		return minio.ErrorResponse{StatusCode: http.StatusPreconditionFailed, Code: minio.PreconditionFailed}
	case status == http.StatusNotFound, status == http.StatusForbidden:
		return nil
	default:
		return err
	}
}

// mine returns nil when the object that has the key is the one that was to be put: an attempt before has put it, and nobody heard
// of it. Else it is errExists.
func (b *bucket) mine(ctx context.Context, o object) error {
	info, err := b.look(ctx, o)
	switch {
	case err == nil && info.Size == o.size && info.UserMetadata[markHeader] == o.mark:
		return nil
	case err == nil:
		return errExists
	case minio.ToErrorResponse(err).StatusCode == http.StatusForbidden && o.own():
		return nil
	case minio.ToErrorResponse(err).StatusCode == http.StatusForbidden:
		return errExists
	default:
		return err
	}
}

// sums are the checksums of what a request carries.
type sums struct{ sha256, crc32c string }

// sum reads a part of the source, and sets it back to the part's beginning.
func sum(from *source, offset, size int64) (sums, error) {
	if err := from.seek(offset); err != nil {
		return sums{}, err
	}
	digest, check := sha256.New(), crc32.New(crc32.MakeTable(crc32.Castagnoli))
	n, err := io.Copy(io.MultiWriter(digest, check), io.LimitReader(from, size))
	if err == nil && n < size {
		from.err = errors.New("the picture is shorter than it was")
		err = from.err
	}
	if err != nil {
		return sums{}, err
	}
	made := sums{sha256: hex.EncodeToString(digest.Sum(nil)), crc32c: base64.StdEncoding.EncodeToString(check.Sum(nil))}
	return made, from.seek(offset)
}

// onlyReader hides every other method: the client must not seek to the beginning of what it is given a part of.
type onlyReader struct{ io.Reader }
