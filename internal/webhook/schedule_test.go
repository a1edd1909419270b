package webhook

import (
	"net/http"
	"testing"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/clock"
)

// J13: 13 attempts, each wait 5 s × 3ⁿ ± 20 % and at most 12 h.
func TestSchedule(t *testing.T) {
	nominal := []time.Duration{
		5 * time.Second, 15 * time.Second, 45 * time.Second, 135 * time.Second, 405 * time.Second, 1215 * time.Second,
		3645 * time.Second, 10935 * time.Second, 32805 * time.Second, 12 * time.Hour, 12 * time.Hour, 12 * time.Hour,
	}
	now := time.Unix(1_700_000_000, 0)
	var total time.Duration
	for n, want := range nominal {
		for random, factor := range map[float64]float64{0: 0.8, 0.5: 1, 0.999999: 1.2} {
			cfg := Config{Random: func() float64 { return random }}.withDefaults()
			v := cfg.verdict(result{attempt: savepage.Attempt{Number: n + 1, Outcome: savepage.AttemptTimeout}}, 0, now)
			expected := min(time.Duration(float64(want)*factor), 12*time.Hour)
			if got := v.NextAt.Sub(now); v.State != savepage.Pending || (got-expected).Abs() > want/10_000 || got > 12*time.Hour {
				t.Errorf("after attempt %d with %v: %s, want %s", n+1, random, got, expected)
			}
		}
		total += want
	}
	cfg := Config{}.withDefaults()
	last := cfg.verdict(result{attempt: savepage.Attempt{Number: 13, Outcome: savepage.AttemptTimeout}}, 0, now)
	if last.State != savepage.Dead || !last.NextAt.IsZero() {
		t.Errorf("after the last attempt: %+v", last)
	}
	if total < 48*time.Hour || total > 60*time.Hour {
		t.Errorf("the schedule lasts %s", total)
	}
	for range 1000 {
		if w := cfg.backoff().After(1); w < 4*time.Second || w > 6*time.Second {
			t.Fatalf("first wait %s", w)
		}
	}
}

func TestOwnScheduleSettings(t *testing.T) {
	cfg := Config{RetryBase: 10 * time.Millisecond, MaxAttempts: 3, Random: func() float64 { return 0.5 }}.withDefaults()
	if cfg.backoff().After(1) != 10*time.Millisecond || cfg.backoff().After(3) != 90*time.Millisecond {
		t.Errorf("%s, %s", cfg.backoff().After(1), cfg.backoff().After(3))
	}
	if long := (Config{RetryBase: 48 * time.Hour}).withDefaults().backoff(); long.After(1) > 12*time.Hour || long.After(100) > 12*time.Hour {
		t.Errorf("%s", long.After(1))
	}
	if v := cfg.verdict(result{attempt: savepage.Attempt{Number: 3, Outcome: savepage.AttemptStatus, Status: 500}}, 0,
		time.Now()); v.State != savepage.Dead {
		t.Errorf("%+v", v)
	}
}

// J14: Retry-After is honoured up to 24 h, with 429 and 503, and never shortens the schedule.
func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	cfg := Config{Clock: clock.Manual(now), Random: func() float64 { return 0.5 }}.withDefaults()
	for _, c := range []struct {
		name, header string
		status       int
		want         time.Duration
	}{
		{"none", "", 503, 5 * time.Second},
		{"seconds", "120", 503, 2 * time.Minute},
		{"seconds with 429", "120", 429, 2 * time.Minute},
		{"seconds with 500", "120", 500, 5 * time.Second},
		{"less than the schedule", "1", 503, 5 * time.Second},
		{"negative", "-120", 503, 5 * time.Second},
		{"24 hours", "86400", 503, 24 * time.Hour},
		{"10 years", "315360000", 503, 24 * time.Hour},
		{"more than fits", "18446744073709551615", 503, 24 * time.Hour},
		{"date", date(time.Hour), 503, time.Hour},
		{"past date", date(-time.Hour), 503, 5 * time.Second},
		{"far date", date(10 * 365 * 24 * time.Hour), 429, 24 * time.Hour},
		{"nonsense", "soon", 503, 5 * time.Second},
	} {
		r := result{attempt: savepage.Attempt{Number: 1, Outcome: savepage.AttemptStatus, Status: c.status}, retryAfter: c.header}
		if got := cfg.verdict(r, 0, now).NextAt.Sub(now); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	// It does not bring a dead delivery back.
	last := result{attempt: savepage.Attempt{Number: 13, Outcome: savepage.AttemptStatus, Status: 503}, retryAfter: "120"}
	if v := cfg.verdict(last, 0, now); v.State != savepage.Dead {
		t.Errorf("%+v", v)
	}
}

func TestRetryAfterHeaderIsRead(t *testing.T) {
	r := handled(t, Config{Random: func() float64 { return 0.5 }}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	v := r.Deliver(t.Context(), event(), secret)
	if wait := time.Until(v.NextAt); wait < 5*time.Minute || wait > 10*time.Minute {
		t.Errorf("%s", wait)
	}
}
