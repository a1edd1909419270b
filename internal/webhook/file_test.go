package webhook

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
)

// pictures is a store of one picture.
func pictures(content []byte) func(context.Context, string) (io.ReadCloser, error) {
	return func(_ context.Context, name string) (io.ReadCloser, error) {
		if name != "abc.png" {
			return nil, errors.New("no such picture")
		}
		return io.NopCloser(bytes.NewReader(content)), nil
	}
}

// A callback that is a picture carries its bytes, signed, with its type and name.
func TestFileAsBody(t *testing.T) {
	content := bytes.Repeat([]byte("picture "), 1<<17)
	var got *http.Request
	var body []byte
	r := handled(t, Config{Pictures: pictures(content)}, func(_ http.ResponseWriter, req *http.Request) {
		got = req
		body, _ = io.ReadAll(req.Body)
	})
	d := event()
	d.Format, d.Method, d.Filename = savepage.CallbackScreenshotOne, http.MethodPut, "report"
	d.Picture = &savepage.Picture{Name: "abc.png", Format: savepage.FormatPNG, Size: int64(len(content))}
	if v := r.Deliver(t.Context(), d, secret); v.State != savepage.Delivered {
		t.Fatalf("%+v", v)
	}
	if !bytes.Equal(body, content) || got.Method != http.MethodPut || got.ContentLength != int64(len(content)) {
		t.Errorf("%s with %d bytes, said to be %d", got.Method, len(body), got.ContentLength)
	}
	for name, want := range map[string]string{
		"Content-Type": "image/png", "Content-Disposition": `attachment; filename="report.png"`,
		"X-Screenshotone-Signature": savepage.Sign(secret, content), "X-Signature": savepage.Sign(secret, content),
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
		}
	}
	if err := savepage.Verify(secret, got.Header, body, time.Now()); err != nil {
		t.Error(err)
	}
}

// A picture that cannot be read is tried again: the receiver was not asked.
func TestPictureThatIsGone(t *testing.T) {
	r := handled(t, Config{Pictures: pictures(nil)}, func(http.ResponseWriter, *http.Request) { t.Error("asked") })
	d := event()
	d.Picture = &savepage.Picture{Name: "other.png", Format: savepage.FormatPNG, Size: 1}
	v := r.Deliver(t.Context(), d, secret)
	if v.State != savepage.Pending || !strings.Contains(v.Attempt.Error, "Not sent") {
		t.Errorf("%+v", v)
	}
}

// The event of Urlbox is signed with its time, as its receivers check it.
func TestUrlboxSignature(t *testing.T) {
	var got http.Header
	at := time.Unix(1_700_000_000, 0)
	r := handled(t, Config{Clock: clock.Manual(at)}, func(_ http.ResponseWriter, req *http.Request) { got = req.Header })
	d := event()
	d.Format = savepage.CallbackUrlbox
	r.Deliver(t.Context(), d, secret)
	want := "t=1700000000,sha256=" + savepage.Sign(secret, []byte("1700000000."+string(d.Body)))
	if got.Get("X-Urlbox-Signature") != want {
		t.Errorf("%q, want %q", got.Get("X-Urlbox-Signature"), want)
	}
}
