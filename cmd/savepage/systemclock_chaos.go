//go:build chaos

package main

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/savepage/savepage/internal/clock"
)

// stepVariable names the file that says by how much the clock is stepped.
const stepVariable = "CHAOS_CLOCK_STEP"

// systemClock is the clock of the machine, which SIGUSR1 steps: the machine itself has one clock for all. Only the program of make
// chaos has it.
func systemClock() *clock.Clock {
	c := clock.System()
	steps := make(chan os.Signal, 1)
	signal.Notify(steps, syscall.SIGUSR1)
	go func() {
		for range steps {
			text, err := os.ReadFile(os.Getenv(stepVariable))
			if by, wrong := time.ParseDuration(strings.TrimSpace(string(text))); err == nil && wrong == nil {
				c.Step(by)
			}
		}
	}()
	return c
}
