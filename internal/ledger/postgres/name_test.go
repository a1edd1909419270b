package postgres_test

import (
	"testing"

	"github.com/savepage/savepage/internal/ledger/postgres"
)

// TestDatabaseIsNamed wants a name that is an address again, without who connects.
func TestDatabaseIsNamed(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"postgres://me:secret@db.example:6432/shots?sslmode=disable": "postgres://db.example:6432/shots",
		"postgres://me:secret@[::1]/shots":                           "postgres://[::1]:5432/shots",
		"postgres://me@/shots?host=%2Frun%2Fpg":                      "postgres:///shots?host=/run/pg",
	} {
		got := postgres.At(address).String()
		if got != want {
			t.Errorf("%s is named %s, want %s", address, got, want)
		}
		if again := postgres.At(got).String(); again != got {
			t.Errorf("%s is named %s", got, again)
		}
	}
}
