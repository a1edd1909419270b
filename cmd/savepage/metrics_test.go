package main

import (
	"net/http"
	"strings"
	"testing"
)

// TestMetricsAtRest reads the metrics of a server that nobody uses but those who watch it: they fit on a few screens.
func TestMetricsAtRest(t *testing.T) {
	verifyNoLeaks(t)
	sv := start(t, settings(t, t.TempDir()))
	var metrics []byte
	for range 2 { // the second has what the first has left
		for _, path := range []string{"/healthz", "/readyz", "/version", "/metrics"} {
			status, body := sv.do(http.MethodGet, path, "", "")
			if status != http.StatusOK {
				t.Fatalf("%s answers %d", path, status)
			}
			metrics = body
		}
	}
	const most = 400
	if lines := strings.Count(string(metrics), "\n"); lines >= most || lines < 100 {
		t.Errorf("/metrics has %d lines at rest, want fewer than %d", lines, most)
	}
}
