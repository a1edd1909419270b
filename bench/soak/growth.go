package main

import (
	"math"
	"time"
)

// judgedFrom is when caches are full, warm pages made and pools grown: growth is what comes after it.
const judgedFrom = 10 * time.Minute

// sample is one measurement at a time of the run.
type sample struct {
	at    time.Duration
	value float64
}

// slope returns the growth in an hour by least squares, and its standard error.
func slope(samples []sample) (perHour, deviation float64) {
	n := float64(len(samples))
	if n < 3 {
		return 0, math.Inf(1)
	}
	var meanX, meanY float64
	for _, s := range samples {
		meanX += s.at.Hours() / n
		meanY += s.value / n
	}
	var xx, xy float64
	for _, s := range samples {
		x := s.at.Hours() - meanX
		xx += x * x
		xy += x * (s.value - meanY)
	}
	perHour = xy / xx
	var rest float64
	for _, s := range samples {
		d := s.value - meanY - perHour*(s.at.Hours()-meanX)
		rest += d * d
	}
	return perHour, math.Sqrt(rest / (n - 2) / xx)
}

// grows reports whether the samples after the first ten minutes grow by more than the bound in an hour, beyond what their
// scatter explains: two standard errors.
func grows(all []sample, bound float64) (growth bool, perHour float64) {
	var judged []sample
	for _, s := range all {
		if s.at >= judgedFrom {
			judged = append(judged, s)
		}
	}
	perHour, deviation := slope(judged)
	return perHour-2*deviation > bound, perHour
}
