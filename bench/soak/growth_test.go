package main

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// series is a run of 45 minutes that grows by so much in an hour and scatters.
func series(perHour, scatter float64) []sample {
	random := rand.New(rand.NewPCG(1, 2)) // the same on every run
	var all []sample
	for minute := range 46 {
		at := time.Duration(minute) * time.Minute
		value := 200 + perHour*at.Hours() + scatter*random.NormFloat64()
		if at < judgedFrom {
			value -= 100 * (1 - at.Minutes()/judgedFrom.Minutes()) // it warms up
		}
		all = append(all, sample{at, value})
	}
	return all
}

func TestGrowth(t *testing.T) {
	for _, c := range []struct {
		name             string
		perHour, scatter float64
		want             bool
	}{
		{"level", 0, 0, false},
		{"level, with scatter", 0, 20, false},
		{"falls", -100, 5, false},
		{"below the bound", 30, 2, false},
		{"grows", 80, 5, true},
		{"grows, with scatter", 120, 20, true},
	} {
		got, perHour := grows(series(c.perHour, c.scatter), 40)
		if got != c.want {
			t.Errorf("%s: growth is %v (%.1f an hour), want %v", c.name, got, perHour, c.want)
		}
		if c.scatter == 0 && math.Abs(perHour-c.perHour) > 0.01 {
			t.Errorf("%s: the slope is %.2f, want %.2f", c.name, perHour, c.perHour)
		}
	}
	if got, _ := grows(series(1000, 0)[:12], 40); got {
		t.Error("two samples after the first ten minutes were judged")
	}
}
