package api_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/api"
	"github.com/savepage/savepage/internal/capture"
)

const typical = `{"url":"https://example.com/articles/2026/04/something-to-read?utm=x","width":1280,"height":800,"fullpage":true,` +
	`"format":"jpeg","quality":85,"wait_until":"settled","callback_url":"https://app.example.com/webhooks/savepage",` +
	`"metadata":{"order":"4711"}}`

func BenchmarkDecode(b *testing.B) {
	d := api.NewDecoder()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.JSON([]byte(typical)); err != nil {
			b.Fatal(err)
		}
	}
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// instant accepts without keeping anything.
type instant struct{ *world }

func (instant) Submit(context.Context, capture.Request) (capture.Accepted, error) {
	return capture.Accepted{Capture: savepage.Capture{ID: "cap_00000000000000000000000001"}}, nil
}

func bareAPI(b *testing.B) *api.API {
	b.Helper()
	w := newWorld()
	parts := w.parts()
	parts.Captures = instant{w}
	a, err := api.New(parts,
		api.Config{Links: capture.Links{PublicURL: "http://api.test"}}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	return a
}

// BenchmarkSubmit is the whole handler, without network and ledger.
func BenchmarkSubmit(b *testing.B) {
	a := bareAPI(b)
	body := []byte(typical)
	b.ReportAllocs()
	for b.Loop() {
		req := &http.Request{
			Method: http.MethodPost, URL: &url.URL{Path: "/v1/capture"},
			Header: http.Header{"Authorization": {"Bearer " + keyA}, "Content-Type": {"application/json"}},
			Body:   io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		}
		a.ServeHTTP(discard{http.Header{}}, req)
	}
}

// BenchmarkSubmitHTTP is the same over loopback with 64 clients in the same process.
func BenchmarkSubmitHTTP(b *testing.B) {
	server := httptest.NewServer(bareAPI(b))
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req, _ := http.NewRequest(http.MethodPost, server.URL+"/v1/capture", strings.NewReader(typical))
			req.Header.Set("Authorization", "Bearer "+keyA)
			req.Header.Set("Content-Type", "application/json")
			resp, err := client.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != http.StatusAccepted {
				b.Errorf("status %d", resp.StatusCode)
				return
			}
		}
	})
}
