package main

import (
	"io"
	"log/slog"

	"github.com/lmittmann/tint"
)

// newLog logs in the form that the settings name: text for people, json for programs.
func newLog(s Settings, to io.Writer) *slog.Logger {
	terminal := isTerminal(to)
	if s.LogFormat == "json" || s.LogFormat == "auto" && !terminal {
		return slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: s.LogLevel, ReplaceAttr: readable}))
	}
	return slog.New(tint.NewTextHandler(to, &tint.Options{Level: s.LogLevel, TimeFormat: "15:04:05.000", NoColor: !terminal}))
}

// readable writes durations as 1.5s: slog's own JSON has bare nanoseconds.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}
