package sqlite

import (
	"io/fs"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/ledger"
)

// TestReceiversOfOldDeliveries brings deliveries of the first version up to date: each knows its receiver as a new one does.
func TestReceiversOfOldDeliveries(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := openWriter(dir)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, ours, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	urls := []string{
		"https://hooks.example.com/a/b?c=d", "http://Hooks.Example.com:8080", "https://example.com?x=http://y/",
		"https://example.com#f", "http://[::1]:3000/hook",
	}
	const account = `INSERT INTO accounts (id, created_at, webhook_secret) VALUES ('acc', 1, 'whsec_c2VjcmV0')`
	if _, err := db.ExecContext(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	for _, url := range urls {
		const old = `INSERT INTO deliveries (id, capture, account, url, body, state, created_at, next_at)
			VALUES (?1, 'cap', 'acc', ?1, '', 'pending', 1, 1)`
		if _, err := db.ExecContext(t.Context(), old, url); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	l := openInside(t, dir, ledger.Config{})
	for _, url := range urls {
		d, err := l.Delivery(t.Context(), "acc", url)
		if err != nil || d.Receiver != ledger.HostOf(url) || d.Receiver == "" {
			t.Errorf("%s: receiver %q, want %q (%v)", url, d.Receiver, ledger.HostOf(url), err)
		}
	}
	work(t, l)
	for _, url := range urls {
		until(t, func() bool {
			d, err := l.Delivery(t.Context(), "acc", url)
			return err == nil && d.State == savepage.Delivered
		})
	}
}
