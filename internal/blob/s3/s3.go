// Package s3 keeps each blob as an object of a bucket that is reached by the API of Amazon S3. It touches nothing outside
// of the prefix that its setting names, and makes no bucket. Several processes may use one bucket and prefix at a time.
package s3

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/savepage/savepage/internal/blob"
)

// How long the service may take: to accept a connection, to begin its answer, and to take one request as a whole. One that does
// not answer is an error then; the caller tries again later.
const (
	connectWithin = 5 * time.Second
	answerWithin  = 15 * time.Second
	requestWithin = time.Minute
)

// tries is how often a request is sent when the service answers that it is busy or broken, the first one included.
const tries = 3

// probeName is the name that Ready writes, before a random part. No key begins with a dot.
const probeName = ".probe-"

// Kind is a bucket, named by s3://bucket/prefix.
func Kind() blob.Kind {
	return blob.Kind{
		Form:  form,
		Takes: func(setting string) bool { return strings.HasPrefix(setting, scheme) },
		Check: func(setting string) error {
			_, err := parsePlace(setting)
			return err
		},
		Open: func(ctx context.Context, setting string) (blob.Store, error) {
			b, err := Open(ctx, setting)
			if err != nil {
				return nil, err // a nil *Bucket would be a Store that is not nil
			}
			return b, nil
		},
		View: func(ctx context.Context, setting string) (blob.View, error) {
			b, err := Open(ctx, setting)
			if err != nil {
				return nil, err
			}
			return b, nil
		},
	}
}

// Bucket is a blob.Store of objects. It is safe for use by many goroutines and processes.
type Bucket struct {
	place

	api       *minio.Core
	transport *http.Transport
}

// Open returns the store that the setting names, with the credentials that the environment, the shared credentials file or the
// machine's role give, in this order. The bucket must be there. The caller closes the store.
func Open(ctx context.Context, setting string) (*Bucket, error) {
	p, err := parsePlace(setting)
	if err != nil {
		return nil, fmt.Errorf("the picture bucket: %w", err)
	}
	transport := newTransport()
	lookup := minio.BucketLookupAuto
	if p.pathOnly {
		lookup = minio.BucketLookupPath
	}
	api, err := minio.NewCore(p.host, &minio.Options{
		Creds: credentials.NewChainCredentials([]credentials.Provider{
			&credentials.EnvAWS{},
			&credentials.FileAWSCredentials{},
			&credentials.IAM{Client: &http.Client{Transport: transport, Timeout: answerWithin}},
		}),
		Secure: p.secure, Region: p.region, Transport: transport, BucketLookup: lookup, MaxRetries: tries,
	})
	if err != nil {
		return nil, fmt.Errorf("the picture bucket: %w", err)
	}
	b := &Bucket{place: p, api: api, transport: transport}
	if err := b.exists(ctx); err != nil {
		_ = b.Close()
		return nil, err
	}
	return b, nil
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: connectWithin}).DialContext,
		TLSHandshakeTimeout:   connectWithin,
		ResponseHeaderTimeout: answerWithin,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       time.Minute,
		DisableCompression:    true, // a picture comes as it is stored
	}
}

// exists says what is wrong with the bucket before anything is stored.
func (b *Bucket) exists(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	switch there, err := b.api.BucketExists(ctx, b.bucket); {
	case err != nil:
		return b.failed("ask for the picture bucket", err)
	case !there:
		return fmt.Errorf("the picture bucket %s does not exist at %s: make it first", b.bucket, b.host)
	}
	return nil
}

// Close ends idle connections. Blobs that are open stay readable.
func (b *Bucket) Close() error {
	b.transport.CloseIdleConnections()
	return nil
}

// Delete removes a blob. An unknown key is no error.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	if !blob.ValidKey(key) {
		return blob.ErrKey
	}
	return b.remove(ctx, key)
}

func (b *Bucket) remove(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, requestWithin)
	defer cancel()
	if err := b.api.RemoveObject(ctx, b.bucket, b.prefix+name, minio.RemoveObjectOptions{}); err != nil {
		return b.failed("delete a picture", err)
	}
	return nil
}

// Ready reports whether the bucket can be written: an object is stored and removed again.
func (b *Bucket) Ready(ctx context.Context) error {
	name := probeName + rand.Text()
	if err := b.putWhole(ctx, name, bytes.Repeat([]byte{'.'}, probeSize)); err != nil {
		return err
	}
	return b.remove(context.WithoutCancel(ctx), name)
}

// failed says what was tried and names the bucket. Nothing of a request is in it.
func (b *Bucket) failed(what string, err error) error {
	switch response := minio.ToErrorResponse(err); response.Code {
	case minio.NoSuchKey:
		return fs.ErrNotExist
	case minio.NoSuchBucket:
		return fmt.Errorf("%s: the bucket %s does not exist at %s", what, b.bucket, b.host)
	case "":
		if errors.Is(err, context.Canceled) {
			return context.Canceled
		}
		return fmt.Errorf("%s in the bucket %s at %s: %w", what, b.bucket, b.host, err)
	default:
		return fmt.Errorf("%s in the bucket %s at %s: %s: %s", what, b.bucket, b.host, response.Code, response.Message)
	}
}
