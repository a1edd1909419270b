package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/savepage/savepage"
)

// load reads settings in an empty working folder that holds the yaml, unless it is empty.
func load(t *testing.T, yaml string, environ []string, args ...string) (Settings, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if yaml != "" {
		writeFile(t, configName, yaml)
	}
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	addSettingFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return loadSettings(flags, environ)
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDefaults(t *testing.T) {
	got, err := load(t, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Settings{
		Listen: "127.0.0.1:8080", Data: "./data", Database: "sqlite", Roles: []string{"api", "render", "deliver"},
		SyncWait: 25 * time.Second, MaxPending: 100_000, Retention: 720 * time.Hour, Limits: usualLimits(),
		WebhookRetryBase: 5 * time.Second, WebhookMaxAttempts: 13, WebhookTimeout: 15 * time.Second,
		BucketTries: BucketTries{
			StoreTimeout: 30 * time.Second, StoreRetryBase: 2 * time.Second, StoreMaxAttempts: 10, StorePatience: time.Hour,
		},
		Jail: "auto", FaultPatience: 24 * time.Hour, Grace: 25 * time.Second, LogFormat: "auto", LogLevel: slog.LevelInfo,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFlagsWinThenVariablesThenFile(t *testing.T) {
	yaml := "listen: :1111\ndata: /file\nconcurrency: 1\nroles: [render, deliver]\n"
	environ := []string{"SAVEPAGE_LISTEN=:2222", "SAVEPAGE_DATA=/variable", "SAVEPAGE_SYNC_WAIT=", "OTHER=1"}
	got, err := load(t, yaml, environ, "--listen", ":3333")
	if err != nil {
		t.Fatal(err)
	}
	type picked struct {
		Listen, Data string
		Concurrency  int
		Roles        []string
		SyncWait     time.Duration
	}
	want := picked{":3333", "/variable", 1, []string{"render", "deliver"}, 25 * time.Second}
	if diff := cmp.Diff(want, picked{got.Listen, got.Data, got.Concurrency, got.Roles, got.SyncWait}); diff != "" {
		t.Error(diff)
	}
}

func TestNamedFile(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other.yaml")
	writeFile(t, other, "data: /other\n")
	for _, way := range []struct {
		name          string
		environ, args []string
	}{
		{"flag", nil, []string{"--config", other}},
		{"variable", []string{"SAVEPAGE_CONFIG=" + other}, nil},
		{"flag before variable", []string{"SAVEPAGE_CONFIG=/nowhere"}, []string{"--config", other}},
	} {
		t.Run(way.name, func(t *testing.T) {
			got, err := load(t, "data: /here\n", way.environ, way.args...)
			if err != nil || got.Data != "/other" {
				t.Errorf("data is %q, %v", got.Data, err)
			}
		})
	}
	if _, err := load(t, "", nil, "--config", "/nowhere.yaml"); err == nil || !strings.Contains(err.Error(), "/nowhere.yaml") {
		t.Errorf("a named file that is not there: %v", err)
	}
}

// TestEverySettingIsReadEveryWay gives each setting through each place and a wrong value through each.
func TestEverySettingIsReadEveryWay(t *testing.T) {
	good := map[string]string{
		"LISTEN": "0.0.0.0:99", "ALLOWED_HOSTS": "shots.example.com,b", "METRICS_LISTEN": ":9090",
		"CORS_ORIGINS": "https://app.example.com,http://localhost:3000",
		"PUBLIC_URL":   "https://shots.example.com/", "CDN_URL": "http://cdn.example.com", "DATA": "/d",
		"DATABASE": "postgres://u:p@h/db", "BLOBS": "s3://bucket/prefix?region=eu", "PICTURE_LINKS": "1h",
		"TLS_CERT": "/etc/passwd", "TLS_KEY": "/etc/passwd",
		"TRUSTED_PROXIES": "10.0.0.0/8,fd00::/8", "BLOCKLISTS": "/", "ROLES": "api", "CONCURRENCY": "3", "SYNC_WAIT": "30s", "MAX_PENDING": "7",
		"RETENTION": "2h", "FAULT_PATIENCE": "3h", "RATE_LIMIT": "60", "EGRESS_ALLOW": "10.0.0.0/8:443", "NAT64_PREFIX": "64:ff9b::/96",
		"WEBHOOK_RETRY_BASE": "50ms", "WEBHOOK_MAX_ATTEMPTS": "4", "ACCOUNT_PENDING": "5", "ACCOUNT_PENDING_BYTES": "6", "ACCOUNT_PAGES": "2",
		"ACCOUNT_TIMEOUT": "9000", "ACCOUNT_CAPTURES_PER_MONTH": "8",
		"WEBHOOK_TIMEOUT": "2s", "BROWSER": "/shell", "IDLE_BROWSER": "5m", "SANDBOX": "off", "JAIL": "required", "GRACE": "3s",
		"LOG_FORMAT": "json", "LOG_LEVEL": "debug",
		"USER_AGENT_SUFFIX": "ExampleShots/1.0",
		"MASTER_KEY":        strings.Repeat("0a", 32), "MASTER_KEY_OLD": strings.Repeat("0b", 32),
		"STORE_RETRY_BASE": "1s", "STORE_MAX_ATTEMPTS": "3", "STORE_PATIENCE": "2h", "STORE_TIMEOUT": "9s",
		"OUTBOUND_PROXY": "http://proxy.example.com:3128",
	}
	bad := map[string]string{
		"BLOCKLISTS": "/nowhere/lists", "LISTEN": "8080", "ALLOWED_HOSTS": "a:80", "METRICS_LISTEN": "9090",
		"CORS_ORIGINS": "https://app.example.com/",
		"PUBLIC_URL":   "shots.example.com", "CDN_URL": "ftp://x",
		"DATABASE": "postgres://u:p@h:port/db", "BLOBS": "s3://bucket?hunter2=1", "PICTURE_LINKS": "1s",
		"TLS_CERT": "/nowhere.pem", "TLS_KEY": "/nowhere.pem", "TRUSTED_PROXIES": "10.0.0.0/99",
		"ROLES": "api,cook", "CONCURRENCY": "0", "SYNC_WAIT": "2h", "MAX_PENDING": "many", "RETENTION": "-1h",
		"FAULT_PATIENCE": "0s", "RATE_LIMIT": "0",
		"EGRESS_ALLOW": "10.0.0.0/99", "NAT64_PREFIX": "64:ff9b::/95", "WEBHOOK_RETRY_BASE": "1ns", "WEBHOOK_MAX_ATTEMPTS": "51",
		"ACCOUNT_PENDING": "-1", "ACCOUNT_PENDING_BYTES": "6 MB", "ACCOUNT_PAGES": "257", "ACCOUNT_TIMEOUT": "300001",
		"ACCOUNT_CAPTURES_PER_MONTH": "many",
		"WEBHOOK_TIMEOUT":            "1h", "IDLE_BROWSER": "25h", "SANDBOX": "maybe", "JAIL": "on",
		"GRACE": "1d", "LOG_FORMAT": "xml", "LOG_LEVEL": "loud",
		"USER_AGENT_SUFFIX": "caf\u00e9",
		"MASTER_KEY":        "0a", "MASTER_KEY_OLD": "hunter2",
		"STORE_RETRY_BASE": "1ms", "STORE_MAX_ATTEMPTS": "51", "STORE_PATIENCE": "1ms", "STORE_TIMEOUT": "11m",
		"OUTBOUND_PROXY": "proxy.example.com:3128",
	}
	defaults, err := load(t, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range settingTable() {
		ways := []string{"flag", "variable", "file"}
		if row.noFlag {
			ways = ways[1:]
		}
		for _, way := range ways {
			t.Run(row.name+" "+way, func(t *testing.T) {
				got, err := give(t, row, way, good[row.name])
				if err != nil {
					t.Fatal(err)
				}
				if cmp.Equal(defaults, got) {
					t.Errorf("%q changed nothing", good[row.name])
				}
				if bad[row.name] == "" {
					return
				}
				_, err = give(t, row, way, bad[row.name])
				wrong, is := errors.AsType[settingsError](err)
				if !is || len(wrong) != 1 || !strings.Contains(wrong[0], row.form) {
					t.Errorf("%q gave %v", bad[row.name], err)
				}
			})
		}
	}
}

// give gives one setting one way.
func give(t *testing.T, row setting, way, value string) (Settings, error) {
	t.Helper()
	switch way {
	case "flag":
		return load(t, "", nil, "--"+row.flag(), value)
	case "variable":
		return load(t, "", []string{row.variable() + "=" + value})
	default:
		return load(t, fmt.Sprintf("%s: %q\n", row.key(), value), nil)
	}
}

func TestAllFaultsAreNamedAtOnce(t *testing.T) {
	_, err := load(t, "conkurrency: 4\ngrace: soon\n", []string{
		"SAVEPAGE_LISTNE=:1", "SAVEPAGE_SYNC_WAIT=never",
		"SAVEPAGE_DATABASE=oracle://u:hunter2@h/db",
	}, "--max-pending", "-1")
	wrong, is := errors.AsType[settingsError](err)
	if !is {
		t.Fatalf("got %v", err)
	}
	want := settingsError{
		`unknown setting SAVEPAGE_LISTNE; did you mean "SAVEPAGE_LISTEN"?`,
		`unknown setting conkurrency in savepage.yaml; did you mean "concurrency"?`,
		"SAVEPAGE_DATABASE is ••••••: want sqlite or postgres://user:password@host:5432/database (there is no engine for oracle://)",
		`SAVEPAGE_SYNC_WAIT is "never": want a duration from 1s to 110s`,
		`--max-pending is "-1": want a whole number from 1 to 10000000`,
		`grace in savepage.yaml is "soon": want a duration from 0s to 10m`,
	}
	if diff := cmp.Diff(want, wrong); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(err.Error(), "6 invalid settings:\n") {
		t.Errorf("got %q", err)
	}
}

func TestSecretFromFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "database")
	writeFile(t, name, "sqlite\n")
	if _, err := load(t, "", []string{"SAVEPAGE_DATABASE_FILE=" + name}); err != nil {
		t.Error(err)
	}
	writeFile(t, name, "postgres://u:hunter2@h:port/db")
	if _, err := load(t, "", []string{"SAVEPAGE_DATABASE_FILE=" + name}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
	for _, environ := range [][]string{
		{"SAVEPAGE_DATABASE_FILE=/nowhere"},
		{"SAVEPAGE_DATABASE_FILE=" + name, "SAVEPAGE_DATABASE=sqlite"},
		{"SAVEPAGE_LISTEN_FILE=" + name},
	} {
		if _, err := load(t, "", environ); err == nil {
			t.Errorf("%q was taken", environ)
		}
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	s := Settings{Database: "hunter2"}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("start", "settings", s, "secret", s.Database)
	for _, shown := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %q %x %s %d", s, s, s, s.Database, s.Database, s.Database, s.Database), log.String(),
	} {
		if strings.Contains(shown, "hunter2") || strings.Contains(shown, "68756e74657232") {
			t.Errorf("shown in %s", shown)
		}
	}
	if s.Database.Reveal() != "hunter2" {
		t.Error("lost")
	}
}

// TestDocs compares the generated parts of the manual with the code; make docs writes them.
func TestDocs(t *testing.T) {
	for name, want := range generatedDocs() {
		got, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(got), want); diff != "" {
			t.Errorf("docs/%s is not what the code says; run make docs\n%s", name, diff)
		}
	}
}

func TestVariablesOfClientsAreNoMistake(t *testing.T) {
	if _, err := load(t, "", []string{"SAVEPAGE_KEY=sp_x", "SAVEPAGE_WEBHOOK_SECRET=whsec_x"}); err != nil {
		t.Error(err)
	}
	if _, err := load(t, "", []string{"SAVEPAGE_KEYS=sp_x"}); err == nil {
		t.Error("SAVEPAGE_KEYS was taken for a client's variable")
	}
}

// usualLimits are the default limits that settings have.
func usualLimits() savepage.Limits {
	limits := savepage.DefaultLimits()
	limits.EventStreams, limits.TestEvents = 0, 0
	return limits
}

// TestRolesOfAnEngine leaves roles out: only where several servers share a database another one can do the rest.
func TestRolesOfAnEngine(t *testing.T) {
	for _, one := range []struct{ database, roles, says string }{
		{"sqlite", "api,render,deliver", ""},
		{"sqlite", "api,render", "SAVEPAGE_ROLES is api,render: an SQLite database is served by one process, which needs every role"},
		{"postgres://u:hunter2@h/db", "deliver", ""},
	} {
		s, err := load(t, "", nil, "--database", one.database, "--roles", one.roles)
		if err != nil {
			t.Fatal(err)
		}
		err = enoughRoles(s)
		if (err == nil) != (one.says == "") || err != nil && !strings.Contains(err.Error(), one.says) {
			t.Errorf("%s with %s: %v", one.database, one.roles, err)
		}
	}
}
