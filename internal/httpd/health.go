package httpd

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// checkTimeout bounds each check of readiness.
const checkTimeout = 2 * time.Second

// Check is one thing that must work before captures can be taken.
type Check struct {
	Name string                      // as shown: "database", "browser"
	Run  func(context.Context) error // nil when it works; its text is shown to anybody, so it must hold no secret
}

// Belts are what holds back a page that has taken over its browser, by name: {"sandbox":"on"}. Anybody may read them.
type Belts map[string]string

// Live answers 200 {"status":"ok"} and the belts while the process runs.
func Live(belts func() Belts) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeHealth(w, http.StatusOK, readiness{Status: "ok", Belts: belts()})
	})
}

// Ready answers 200 {"status":"ready"} when every check passes, else 503 with what is wrong, by name, and the belts in both.
func Ready(belts func() Belts, checks ...Check) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wrong := runChecks(r.Context(), checks)
		if len(wrong) > 0 {
			writeHealth(w, http.StatusServiceUnavailable, readiness{Status: "not ready", Wrong: wrong, Belts: belts()})
			return
		}
		writeHealth(w, http.StatusOK, readiness{Status: "ready", Belts: belts()})
	})
}

type readiness struct {
	Status string            `json:"status"`
	Wrong  map[string]string `json:"wrong,omitempty"`
	Belts  Belts             `json:"belts,omitempty"`
}

// runChecks runs all checks at once and returns the errors of those that failed. A check that exceeds its time has failed.
func runChecks(ctx context.Context, checks []Check) map[string]string {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	results := make([]error, len(checks))
	var all sync.WaitGroup
	for i, check := range checks {
		all.Go(func() { results[i] = check.Run(ctx) })
	}
	all.Wait()
	wrong := map[string]string{}
	for i, err := range results {
		if err != nil {
			wrong[checks[i].Name] = err.Error()
		}
	}
	return wrong
}

func writeHealth(w http.ResponseWriter, status int, answer readiness) {
	body, err := json.Marshal(answer)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the client has gone
}
