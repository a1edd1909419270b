package upload_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/s3server"
	"github.com/savepage/savepage/internal/upload"
)

// world is an S3 server with a bucket, and pictures to put there.
type world struct {
	*testing.T

	server   *s3server.Server
	dir      string // of the server: a bucket is a folder in it
	store    savepage.Store
	pictures map[string]io.ReadSeeker
	cfg      upload.Config
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir(), pictures: map[string]io.ReadSeeker{}}
	server, err := s3server.Start(t.Context(), w.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	if _, err := server.Bucket("shots", ""); err != nil {
		t.Fatal(err)
	}
	w.server = server
	w.store = savepage.Store{
		Name: "archive", Endpoint: server.Endpoint(), Bucket: "shots", Prefix: "a b/",
		Keys: savepage.StoreKeys{AccessKeyID: s3server.AccessKey, SecretAccessKey: s3server.SecretKey},
	}.WithDefaults()
	w.cfg = upload.Config{Pictures: w.open, Random: func() float64 { return 0.5 }}
	return w
}

type picture struct{ io.ReadSeeker }

func (picture) Close() error { return nil }

func (w *world) open(_ context.Context, name string) (io.ReadSeekCloser, error) {
	data, found := w.pictures[name]
	if !found {
		return nil, fs.ErrNotExist
	}
	return picture{data}, nil
}

// uploader reaches the addresses that are allowed.
func (w *world) uploader(allow ...string) *upload.Uploader {
	w.Helper()
	var rules []guard.Rule
	for _, one := range allow {
		rules = append(rules, guard.Rule{Prefix: netip.MustParsePrefix(one)})
	}
	u := upload.New(w.cfg, guard.New(guard.Config{Allow: rules}), slog.New(slog.DiscardHandler))
	w.Cleanup(u.Close)
	return u
}

const loopback = "127.0.0.0/8"

// delivery is one of a picture with these bytes.
func (w *world) delivery(capture string, data []byte) savepage.Delivery {
	w.pictures[capture+".png"] = bytes.NewReader(data)
	return savepage.Delivery{
		ID: "msg_" + capture, CaptureID: capture, Account: "acc_1", Store: w.store.Name,
		Picture: &savepage.Picture{Name: capture + ".png", Format: savepage.FormatPNG, Size: int64(len(data))},
		Upload:  &savepage.Upload{Store: w.store, Key: w.store.Prefix + capture + ".png"},
	}
}

func (w *world) stored(key string) []byte {
	w.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, "shots", key))
	if err != nil {
		w.Error(err)
	}
	return data
}

func (w *world) want(v savepage.Verdict, state savepage.DeliveryState, message string) {
	w.Helper()
	if v.State != state || !strings.Contains(v.Attempt.Error, message) || (message == "") != (v.Attempt.Error == "") {
		w.Errorf("%s %s %d %q, want %s %q", v.State, v.Attempt.Outcome, v.Attempt.Status, v.Attempt.Error, state, message)
	}
}

// pattern is n bytes that repeat nowhere near the size of a part.
func pattern(n int) []byte {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return data
}

// TestPut puts small and large pictures, and says where they are.
func TestPut(t *testing.T) {
	w := newWorld(t)
	u := w.uploader(loopback)
	for _, size := range []int{1, 70_000, 16 << 20, 16<<20 + 1, 40 << 20} {
		d, data := w.delivery(fmt.Sprintf("cap_%d", size), pattern(size)), pattern(size)
		v := u.Deliver(t.Context(), d)
		w.want(v, savepage.Delivered, "")
		want := savepage.Stored{Name: "archive", Key: d.Upload.Key, URL: w.server.Endpoint() + "/shots/a%20b/" + d.CaptureID + ".png"}
		if v.Stored == nil || *v.Stored != want {
			t.Errorf("stored %v, want %v", v.Stored, want)
		}
		if got := w.stored(d.Upload.Key); !bytes.Equal(got, data) {
			t.Errorf("%d bytes of %d arrived, or others", len(got), size)
		}
		if v := u.Deliver(t.Context(), d); v.State != savepage.Delivered {
			t.Errorf("put again, after an attempt of which nobody heard: %s %q", v.State, v.Attempt.Error)
		}
	}
}

// TestKeep replaces an object of another only when that was asked for.
func TestKeep(t *testing.T) {
	w := newWorld(t)
	u := w.uploader(loopback)
	for _, size := range []int{100, 17 << 20} {
		first, second := w.delivery("cap_1", pattern(size)), w.delivery("cap_2", bytes.Repeat([]byte("x"), size))
		first.Upload.Key, second.Upload.Key = fmt.Sprintf("home-%d.png", size), fmt.Sprintf("home-%d.png", size)
		w.want(u.Deliver(t.Context(), first), savepage.Delivered, "")
		w.want(u.Deliver(t.Context(), second), savepage.Dead, "has another object with the key "+first.Upload.Key)
		if !bytes.Equal(w.stored(first.Upload.Key), pattern(size)) {
			t.Error("the object was replaced")
		}
		second.Upload.Overwrite = true
		w.want(u.Deliver(t.Context(), second), savepage.Delivered, "")
		if !bytes.Equal(w.stored(first.Upload.Key), bytes.Repeat([]byte("x"), size)) {
			t.Error("the object was not replaced")
		}
	}
}

// TestGuard reaches no private address that is not allowed, whether the endpoint names it or a name server does.
func TestGuard(t *testing.T) {
	w := newWorld(t)
	d := w.delivery("cap_1", pattern(10))
	v := w.uploader().Deliver(t.Context(), d)
	w.want(v, savepage.Dead, "127.0.0.1")
	if v.Attempt.Outcome != savepage.AttemptBlocked {
		t.Errorf("outcome %s", v.Attempt.Outcome)
	}
	if _, err := w.uploader().Admit(w.store.Endpoint); err == nil {
		t.Error("the endpoint was taken")
	}
}

// TestRedirect follows none.
func TestRedirect(t *testing.T) {
	w := newWorld(t)
	reached := make(chan string, 1)
	inner := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { reached <- r.URL.String() }))
	defer inner.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		outer := httptest.NewServer(http.RedirectHandler(inner.URL, status))
		w.store.Endpoint = outer.URL
		v := w.uploader(loopback).Deliver(t.Context(), w.delivery("cap_1", pattern(10)))
		w.want(v, savepage.Pending, "Redirects are not followed")
		outer.Close()
	}
	select {
	case at := <-reached:
		t.Errorf("%s was asked for", at)
	default:
	}
}

// TestSchedule tries again what a bucket has not taken, in growing steps: what it refuses a few times, what may pass more often.
func TestSchedule(t *testing.T) {
	w := newWorld(t)
	for _, one := range []struct {
		status   int
		body     string
		attempts int
		message  string
	}{
		{503, `<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>`, 10, "503 Service Unavailable, SlowDown."},
		{500, `an internal page`, 10, "500 Internal Server Error."},
		{429, ``, 10, "429"},
		{403, `<Error><Code>AccessDenied</Code><Message>No.</Message></Error>`, 4, "s3:PutObject"},
		{404, `<Error><Code>NoSuchBucket</Code></Error>`, 4, "NoSuchBucket. Make the bucket"},
		{400, `<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-3</Region></Error>`, 4, "Set the region eu-west-3."},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			out.WriteHeader(one.status)
			_, _ = io.WriteString(out, one.body)
		}))
		w.store.Endpoint = server.URL
		u, d := w.uploader(loopback), w.delivery("cap_1", pattern(10))
		var waits []time.Duration
		for {
			v := u.Deliver(t.Context(), d)
			if !strings.Contains(v.Attempt.Error, one.message) || strings.Contains(v.Attempt.Error, "internal page") ||
				strings.Contains(v.Attempt.Error, "Reduce") {
				t.Errorf("%d: %q, want %q and nothing that an internal host says", one.status, v.Attempt.Error, one.message)
			}
			d.Attempts = append(d.Attempts, v.Attempt)
			if v.State == savepage.Dead {
				break
			}
			waits = append(waits, v.NextAt.Sub(v.Attempt.At).Round(time.Second))
		}
		if len(d.Attempts) != one.attempts || waits[0] != 2*time.Second || waits[1] != 6*time.Second {
			t.Errorf("%d: %d attempts, waits %v", one.status, len(d.Attempts), waits)
		}
		server.Close()
	}
}

// TestHangs ends an attempt of a bucket that does not answer.
func TestHangs(t *testing.T) {
	w := newWorld(t)
	w.cfg.Timeout = 300 * time.Millisecond
	u, d := w.uploader(loopback), w.delivery("cap_1", pattern(10))
	if err := w.server.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	v := u.Deliver(t.Context(), d)
	w.want(v, savepage.Pending, "did not answer within 300ms")
	if v.Attempt.Outcome != savepage.AttemptTimeout {
		t.Errorf("outcome %s", v.Attempt.Outcome)
	}
	if err := w.server.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	w.cfg.Timeout = 0
	w.want(w.uploader(loopback).Deliver(t.Context(), d), savepage.Delivered, "")
}

// TestOurOwnFault makes no attempt when the picture cannot be read, and gives up when it is gone.
func TestOurOwnFault(t *testing.T) {
	w := newWorld(t)
	u := w.uploader(loopback)
	d := w.delivery("cap_1", pattern(10))
	w.pictures["cap_1.png"] = broken{bytes.NewReader(pattern(5))}
	if v := u.Deliver(t.Context(), d); v.State != "" {
		t.Errorf("a picture that cannot be read is %s: %q", v.State, v.Attempt.Error)
	}
	delete(w.pictures, "cap_1.png")
	w.want(u.Deliver(t.Context(), d), savepage.Dead, "was removed")
	d.Upload = nil
	w.want(u.Deliver(t.Context(), d), savepage.Dead, "no store archive any more")
}

// broken fails after its first bytes.
type broken struct{ *bytes.Reader }

func (b broken) Read(p []byte) (int, error) {
	return io.MultiReader(b.Reader, iotest.ErrReader(errors.New("the disk is gone"))).Read(p)
}

// TestParts leaves none behind of an attempt that was cut off in the middle.
func TestParts(t *testing.T) {
	w := newWorld(t)
	u := w.uploader(loopback)
	data := pattern(40 << 20)
	d := w.delivery("cap_1", data)
	ctx, cut := context.WithCancel(t.Context())
	w.pictures["cap_1.png"] = &cutting{Reader: bytes.NewReader(data), after: 30 << 20, cut: cut}
	if v := u.Deliver(ctx, d); v.State == savepage.Delivered {
		t.Errorf("an attempt that was cut off: %s", v.State)
	}
	if left := w.uploads(); left > 0 {
		t.Errorf("%d uploads are left", left)
	}
	w.pictures["cap_1.png"] = bytes.NewReader(data)
	w.want(u.Deliver(t.Context(), d), savepage.Delivered, "")
	if !bytes.Equal(w.stored(d.Upload.Key), data) {
		t.Error("other bytes arrived")
	}
}

// uploads counts what was begun in parts and not ended, in the server's own folder.
func (w *world) uploads() (n int) {
	_ = filepath.WalkDir(filepath.Join(w.dir, "shots"), func(path string, entry fs.DirEntry, _ error) error {
		if !entry.IsDir() && strings.Contains(path, "multipart") {
			n++
		}
		return nil
	})
	return n
}

// cutting ends a context when so much was read.
type cutting struct {
	*bytes.Reader

	after, read int
	cut         func()
}

func (c *cutting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.read += n; c.read > c.after {
		c.cut()
	}
	return n, err
}

// TestTest says of each step whether it worked.
func TestTest(t *testing.T) {
	w := newWorld(t)
	u := w.uploader(loopback)
	trial := u.Test(t.Context(), "acc_1", w.store)
	where := w.server.Endpoint() + "/shots/a%20b/savepage-test-"
	if !trial.Success || shown(trial) != "write+ keep+ read+ delete+" || !strings.HasPrefix(trial.URL, where) {
		t.Errorf("%s: %+v", shown(trial), trial)
	}
	if left, _ := os.ReadDir(filepath.Join(w.dir, "shots", "a b")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	other := w.store
	other.Bucket = "none"
	trial = u.Test(t.Context(), "acc_1", other)
	if trial.Success || shown(trial) != "write-" || !strings.Contains(trial.Checks[0].Error, "NoSuchBucket") {
		t.Errorf("a bucket that is not there: %+v", trial)
	}
	other = w.store
	other.Keys.SecretAccessKey = "wrong"
	trial = u.Test(t.Context(), "acc_1", other)
	if trial.Success || !strings.Contains(trial.Checks[0].Error, "Set access_key_id and secret_access_key anew") ||
		strings.Contains(fmt.Sprintf("%+v", trial), "wrong") {
		t.Errorf("wrong keys: %+v", trial)
	}
	if trial := w.uploader().Test(t.Context(), "acc_1", w.store); trial.Success || !strings.Contains(trial.Checks[0].Error, "127.0.0.1") {
		t.Errorf("an address that is not allowed: %+v", trial)
	}
}

func shown(trial savepage.StoreTrial) string {
	steps := make([]string, len(trial.Checks))
	for i, c := range trial.Checks {
		steps[i] = c.Check + map[bool]string{true: "+", false: "-"}[c.Success]
	}
	return strings.Join(steps, " ")
}

// simple is a service that knows no conditions and may not be asked what is there.
type simple struct {
	mu      sync.Mutex
	objects map[string][]byte
}

func (s *simple) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, there := s.objects[r.URL.Path]
	switch {
	case r.Method == http.MethodHead && there:
		out.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		out.Header().Set("Content-Length", "1000")
		out.WriteHeader(http.StatusOK)
	case r.Method == http.MethodHead:
		out.WriteHeader(http.StatusNotFound)
	case r.Header.Get("If-None-Match") != "":
		out.WriteHeader(http.StatusNotImplemented)
		_, _ = io.WriteString(out, `<Error><Code>NotImplemented</Code></Error>`)
	default:
		s.objects[r.URL.Path], _ = io.ReadAll(r.Body)
	}
}

// TestWithoutConditions looks for what is there, where a service knows no conditions.
func TestWithoutConditions(t *testing.T) {
	w := newWorld(t)
	service := &simple{objects: map[string][]byte{}}
	server := httptest.NewServer(service)
	defer server.Close()
	w.store.Endpoint = server.URL
	u, d := w.uploader(loopback), w.delivery("cap_1", pattern(1000))
	w.want(u.Deliver(t.Context(), d), savepage.Delivered, "")
	if got := service.objects["/shots/a b/cap_1.png"]; !bytes.Equal(got, pattern(1000)) {
		t.Errorf("%d bytes arrived", len(got))
	}
	other := w.delivery("cap_2", pattern(5))
	other.Upload.Key = d.Upload.Key
	w.want(u.Deliver(t.Context(), other), savepage.Dead, "has another object")
}
