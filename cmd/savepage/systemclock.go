//go:build !chaos

package main

import "github.com/savepage/savepage/internal/clock"

// systemClock is the clock of the machine.
func systemClock() *clock.Clock { return clock.System() }
