package upload

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/savepage/savepage"
)

// probe is what a test writes.
const probe = "A test of SavePage. It may be removed.\n"

// Test writes an object into a store, looks whether it is kept and can be looked up, and removes it.
func (u *Uploader) Test(ctx context.Context, account string, s savepage.Store) savepage.StoreTrial {
	name := "savepage-test-" + strings.ToLower(rand.Text())
	o := object{key: s.Prefix + name + ".txt", mark: name, mediaType: "text/plain; charset=utf-8", size: int64(len(probe))}
	t := &trial{uploader: u, store: s, object: o}
	t.told = savepage.StoreTrial{URL: s.ObjectURL(o.key), Checks: []savepage.StoreCheck{}, Hints: []string{}}
	t.run(ctx)
	u.log.InfoContext(ctx, "store test", slog.String("account", account), slog.String("store", s.Name), slog.Bool("success", t.told.Success))
	return t.told
}

// trial is a test under way.
type trial struct {
	uploader *Uploader
	store    savepage.Store
	object   object
	told     savepage.StoreTrial
}

func (t *trial) run(ctx context.Context) {
	if !t.check(ctx, "write", true, func(ctx context.Context, b *bucket) error { return b.put(ctx, t.object, t.content()) }) {
		return
	}
	t.told.Success = true
	t.check(ctx, "keep", false, func(ctx context.Context, b *bucket) error {
		switch err := b.send(ctx, t.object, t.content()); {
		case err == nil:
			return errReplaced
		case minio.ToErrorResponse(err).StatusCode == statusExists:
			return nil
		default:
			return err
		}
	})
	t.check(ctx, "read", false, func(ctx context.Context, b *bucket) error {
		_, err := b.look(ctx, t.object)
		return err
	})
	removed := t.check(ctx, "delete", false, func(ctx context.Context, b *bucket) error {
		return b.api.RemoveObject(ctx, b.store.Bucket, t.object.key, minio.RemoveObjectOptions{})
	})
	if !removed {
		t.hint("The object of the test stays: remove it yourself. Pictures need no permission to delete.")
	}
	t.hint(`Pictures can be put there: give a capture "store": {"name": "` + t.store.Name + `"}.`)
}

var errReplaced = errors.New("replaced")

// statusExists is the answer to a condition that does not hold.
const statusExists = 412

func (t *trial) content() *source { return &source{of: bytes.NewReader([]byte(probe))} }

func (t *trial) hint(text string) { t.told.Hints = append(t.told.Hints, text) }

// check makes one step and reports whether it worked.
func (t *trial) check(ctx context.Context, name string, needed bool, do func(ctx context.Context, b *bucket) error) bool {
	limit := t.uploader.cfg.Timeout
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
	b, err := t.uploader.open(t.store)
	if err == nil {
		err = do(b.traced(ctx), b)
	}
	c := savepage.StoreCheck{Check: name, Needed: needed, Success: err == nil, LatencyMS: time.Since(began).Milliseconds()}
	switch {
	case err == nil:
	case errors.Is(err, errReplaced):
		c.Error = "The service ignores If-None-Match: a picture replaces an object that has its key. Give keys with {id}."
	default:
		attempt := b.failed(err, limit).attempt
		c.Status, c.Error = attempt.Status, attempt.Error
	}
	t.told.Checks = append(t.told.Checks, c)
	return c.Success
}
