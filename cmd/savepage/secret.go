package main

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a text that prints as dots wherever it is printed, logged or marshalled.
type Secret string

const dots = "••••••"

// Format prints dots, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, dots) }

// LogValue logs dots.
func (s Secret) LogValue() slog.Value { return slog.StringValue(dots) }

// MarshalText marshals to dots.
func (s Secret) MarshalText() ([]byte, error) { return []byte(dots), nil } //nolint:unparam // the interface has an error

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }
