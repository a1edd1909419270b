package httpd_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/savepage/savepage/internal/httpd"
)

// metricInText finds the metrics of this program in rules and dashboards.
var metricInText = regexp.MustCompile(`savepage_[a-z_]+`)

// TestDashboardAndAlertsNameMetrics finds a metric in the files for operators that the program does not have, and an alert that
// docs/operations.md does not explain.
func TestDashboardAndAlertsNameMetrics(t *testing.T) {
	known := described(t)
	for _, file := range []string{"../../deploy/grafana/savepage.json", "../../deploy/prometheus/alerts.yaml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".json") && !json.Valid(text) {
			t.Errorf("%s is no JSON", file)
		}
		found := metricInText.FindAllString(string(text), -1)
		if len(found) < 5 {
			t.Errorf("%s names %d metrics", file, len(found))
		}
		for _, name := range found {
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				name = strings.TrimSuffix(name, suffix)
			}
			if !known[name] {
				t.Errorf("%s names %s, which is no metric", file, name)
			}
		}
	}
	alerts, err := os.ReadFile("../../deploy/prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	docs, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(string(alerts), -1) {
		if !strings.Contains(string(docs), "`"+found[1]+"`") {
			t.Errorf("docs/operations.md does not explain %s", found[1])
		}
	}
	for name := range known {
		if strings.HasPrefix(name, "savepage_") && !strings.Contains(string(docs), "`"+name) {
			t.Errorf("docs/operations.md does not name %s", name)
		}
	}
}

// described are the names of all metrics, as a scrape of a server shows them on which everything has happened once.
func described(t *testing.T) map[string]bool {
	t.Helper()
	m := httpd.NewMetrics("1", httpd.Sources{
		Queues:     func(context.Context) ([]httpd.Queue, error) { return []httpd.Queue{{Name: "captures"}}, nil },
		Deliveries: func(context.Context) (httpd.Deliveries, error) { return httpd.Deliveries{}, nil },
		Browsers:   func() httpd.Browsers { return httpd.Browsers{} },
		Parts:      func() []httpd.Part { return []httpd.Part{{Name: "database"}} },
	})
	m.Accepted(false)
	m.Cache("hit")
	m.Ended("success", "", time.Second)
	m.Phases(httpd.Phases{})
	m.Retried("code")
	m.WebhookAttempt("delivered", time.Second)
	chain := httpd.Chain{Log: slog.New(slog.DiscardHandler), Metrics: m}
	chain.Wrap(m.Handler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics", nil))
	scrape := httptest.NewRecorder()
	m.Handler().ServeHTTP(scrape, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	names := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^# TYPE (\w+)`).FindAllStringSubmatch(scrape.Body.String(), -1) {
		names[found[1]] = true
	}
	return names
}
