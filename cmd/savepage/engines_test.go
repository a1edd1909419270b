package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/savepage/savepage/internal/clock"
	"github.com/savepage/savepage/internal/ledger"
)

func TestSQLiteIsInTheDataFolder(t *testing.T) {
	for _, setting := range []string{"", "sqlite"} {
		dir := filepath.Join(t.TempDir(), "data")
		if _, err := engineOf(setting); err != nil {
			t.Fatal(err)
		}
		db, err := databaseAt(setting, dir)
		if err != nil {
			t.Fatal(err)
		}
		if seen := db.Inspect(t.Context()); seen.Exists || seen.Fix != "" {
			t.Errorf("before the first start: %+v", seen)
		}
		l, err := db.Open(t.Context(), ledger.Config{}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if _, created, err := l.Bootstrap(t.Context()); err != nil || !created {
			t.Errorf("the first account: %v, %v", created, err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if seen := db.Inspect(t.Context()); !seen.Exists || seen.Fix != "" || !strings.HasPrefix(seen.Found, dir) {
			t.Errorf("after it: %+v", seen)
		}
		keys, err := db.OpenKeys(t.Context(), ledger.Vault{}, clock.System())
		if err != nil {
			t.Fatal(err)
		}
		if list, err := keys.List(t.Context(), ""); err != nil || len(list) != 1 {
			t.Errorf("%d keys, %v", len(list), err)
		}
		if err := keys.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestInspectFindsFaults(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "savepage.db"), []byte("this is a text and not a database"), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := databaseAt("sqlite", dir)
	if err != nil {
		t.Fatal(err)
	}
	if seen := db.Inspect(t.Context()); !seen.Exists || seen.Fix == "" {
		t.Errorf("%+v", seen)
	}
}

func TestUnknownEngines(t *testing.T) {
	for setting, want := range map[string]string{
		"oracle://u:hunter2@h/db": "oracle://", "mysql": "no such engine",
		"sqlite3": "no such engine",
	} {
		_, err := engineOf(setting)
		if err == nil || !strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("check of %q: %v, want an error that ends in %s", setting, err, want)
		}
		if _, err := databaseAt(setting, t.TempDir()); err == nil {
			t.Errorf("%q was found", setting)
		}
	}
	if databaseForms() != "sqlite or postgres://user:password@host:5432/database" {
		t.Errorf("forms are %q", databaseForms())
	}
}
