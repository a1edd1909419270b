package api

import (
	"strconv"
	"testing"
	"time"
)

func TestLimiterRefills(t *testing.T) {
	l := newLimiter(time.Minute)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 60 {
		if a := l.take("a", 60, now); !a.allowed || a.remaining != 59-i || !a.reset.Equal(now.Add(time.Duration(i+1)*time.Second)) {
			t.Fatalf("%d: %+v", i, a)
		}
	}
	if a := l.take("a", 60, now); a.allowed || a.wait != time.Second || a.remaining != 0 || !a.reset.Equal(now.Add(time.Minute)) {
		t.Errorf("%+v", a)
	}
	if a := l.take("b", 60, now); !a.allowed {
		t.Errorf("another account: %+v", a)
	}
	if a := l.take("a", 60, now.Add(999*time.Millisecond)); a.allowed || a.wait != time.Millisecond {
		t.Errorf("%+v", a)
	}
	if a := l.take("a", 60, now.Add(time.Second)); !a.allowed || a.remaining != 0 {
		t.Errorf("%+v", a)
	}
	if a := l.take("a", 60, now.Add(time.Hour)); !a.allowed || a.remaining != 59 {
		t.Errorf("%+v", a)
	}
}

func TestLimiterForgetsFullBuckets(t *testing.T) {
	l := newLimiter(time.Minute)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range sweepAt {
		l.take(strconv.Itoa(i), 60, now)
	}
	l.take("late", 60, now.Add(time.Hour))
	if len(l.full) != 1 {
		t.Errorf("%d are kept", len(l.full))
	}
}
