package main

import (
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/savepage/savepage"
	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/ledger"
)

// Settings are the operator's decisions. Every field is a row of settingTable.
type Settings struct {
	Listen    string   // host:port
	Origins   []string // whose pages may call the API; "*" for all
	Hosts     []string // names beside those of the URLs and loopback under which the server may be asked
	Metrics   string   // host:port of the metrics; empty: that of the API
	TLSCert   string   // file; empty: plain HTTP
	TLSKey    string   // file
	Proxies   []netip.Prefix
	PublicURL string // without a slash at the end; empty: from the address that is listened on
	CDNURL    string // without a slash at the end; empty: PublicURL
	Data      string // folder
	Database  Secret // "sqlite"
	Blobs     string // folder or bucket; empty: in Data

	PictureLinks time.Duration // how long they are valid; 0: the server sends pictures itself
	Roles        []string
	Concurrency  int // pages at once; 0: from cores and memory
	SyncWait     time.Duration
	MaxPending   int
	Retention    time.Duration
	Limits       savepage.Limits // of accounts that have none of their own
	EgressAllow  []guard.Rule
	NAT64Prefix  []netip.Prefix
	Outbound     *url.URL // proxy to public addresses; nil: none

	WebhookRetryBase   time.Duration
	WebhookMaxAttempts int
	WebhookTimeout     time.Duration
	BucketTries

	MasterKey    Secret // the bytes themselves; empty: secrets are not encrypted
	MasterKeyOld Secret // the bytes themselves; empty: none

	Browser     string        // path; empty: found
	Blocklists  string        // folder of newer filter lists; empty: those of the program
	IdleBrowser time.Duration // after which an unused browser ends; 0: never
	SandboxOff  bool
	Jail        string // auto, required or off
	UserAgent   string // behind the user agents of pages; empty: nothing

	FaultPatience time.Duration
	Grace         time.Duration
	LogFormat     string // text, json or auto
	LogLevel      slog.Level
}

// The roles of a server.
const (
	roleAPI     = "api"
	roleRender  = "render"
	roleDeliver = "deliver"
)

// Has reports whether the server plays the role.
func (s Settings) Has(role string) bool { return slices.Contains(s.Roles, role) }

// guard is which addresses may be reached. What is refused is logged; without a log, nothing is.
func (s Settings) guard(log *slog.Logger) guard.Config {
	cfg := guard.Config{Allow: s.EgressAllow, NAT64: s.NAT64Prefix, Outbound: s.Outbound}
	if log != nil {
		cfg.OnRefusal = func(r *guard.Refusal) {
			log.Info("address refused", "host", r.Host, "address", r.Addr.String(), "rule", r.Rule)
		}
	}
	return cfg
}

// setting is one row of the table: one flag, one variable and one key of savepage.yaml.
type setting struct {
	name   string // LISTEN: SAVEPAGE_LISTEN, --listen, listen
	kind   string // of the value, in one word, for the help
	value  string // default, as it would be written
	shown  string // the default in the manual, where it is computed at start
	form   string // of a value
	doc    string
	secret bool // printed as dots; also read from the file that SAVEPAGE_…_FILE names
	noFlag bool // not a flag: every user of the machine can read the command line
	set    func(s *Settings, text string) error
}

func (s setting) variable() string { return envPrefix + s.name }
func (s setting) flag() string     { return strings.ReplaceAll(s.key(), "_", "-") }
func (s setting) key() string      { return strings.ToLower(s.name) }

// errForm is the error of a value that does not have the setting's form, where there is no better one.
var errForm = errors.New("has another form")

// settingTable is the only source of settings, for reading them, for the help and for the manual.
func settingTable() []setting {
	var rows []setting
	for _, group := range settingGroups() {
		rows = append(rows, group.rows...)
	}
	return rows
}

// settingGroup is a part of the table under a title of the help.
type settingGroup struct {
	title string
	rows  []setting
}

func settingGroups() []settingGroup {
	return []settingGroup{
		{"Addresses", slices.Concat(addressSettings(), egressSettings(), corsSettings())},
		{"Records and pictures", storeSettings()},
		{"Secrets", secretSettings()},
		{"Work", slices.Concat(workSettings(), bucketSettings())},
		{"Limits of accounts", limitSettings()},
		{"Browser", slices.Concat(browserSettings(), agentSettings())},
		{"Process", processSettings()},
	}
}

func addressSettings() []setting {
	return []setting{
		{
			name: "LISTEN", kind: "address", value: "127.0.0.1:8080", form: "host:port, such as 127.0.0.1:8080 or :8080",
			doc: "Address on which the API is served.",
			set: func(s *Settings, text string) error { return setAddress(&s.Listen, text) },
		},
		{
			name: "ALLOWED_HOSTS", kind: "list", shown: "none", form: "host names without port, such as shots.example.com,shots.internal",
			doc: "Hosts that requests may name beside those of PUBLIC_URL and CDN_URL, localhost and loopback addresses; others are answered " +
				"with 421. Without this setting a server that listens on another address than loopback answers to every host.",
			set: setHosts,
		},
		{
			name: "METRICS_LISTEN", kind: "address", shown: "the API's address, for programs on the same machine",
			form: "host:port, such as 127.0.0.1:9090 or :9090",
			doc: "Address of /metrics, which needs no key. Without this setting the API's address serves it, to requests from the same machine " +
				"that no proxy has passed on.",
			set: func(s *Settings, text string) error { return setAddress(&s.Metrics, text) },
		},
		{
			name: "PUBLIC_URL", kind: "url", shown: "http:// and the listen address", form: "an http or https URL without query",
			doc: "Base URL of links in answers and callbacks: the one at which clients reach the server.",
			set: func(s *Settings, text string) error { return setBaseURL(&s.PublicURL, text) },
		},
		{
			name: "TLS_CERT", kind: "path", shown: "none", form: "an existing file", set: fileThat(func(s *Settings) *string { return &s.TLSCert }),
			doc: "File of PEM with the certificate and those between it and its root. With it and TLS_KEY the server speaks https. A file " +
				"that is replaced is read within ten seconds.",
		},
		{
			name: "TLS_KEY", kind: "path", shown: "none", form: "an existing file", set: fileThat(func(s *Settings) *string { return &s.TLSKey }),
			doc: "File of PEM with the private key of TLS_CERT.",
		},
		{
			name: "TRUSTED_PROXIES", kind: "list", shown: "none", form: "networks such as 10.0.0.0/8, separated by commas", set: setProxies,
			doc: "Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. What others send in these headers is not.",
		},
		{
			name: "CDN_URL", kind: "url", shown: "the public URL", form: "an http or https URL without query",
			doc: "Base URL of links to pictures, if a CDN is in front.",
			set: func(s *Settings, text string) error { return setBaseURL(&s.CDNURL, text) },
		},
	}
}

func workSettings() []setting {
	return []setting{
		{
			name: "ROLES", kind: "list", value: "api,render,deliver", form: "a list of api, render, deliver",
			doc: "Tasks of this process: answer requests, render pages, send callbacks. Health and metrics are always served. With " +
				"PostgreSQL other processes may do the others; with SQLite all three are needed.",
			set: setRoles,
		},
		{
			name: "CONCURRENCY", kind: "number", shown: "as the machine has room", form: "a whole number from 1 to 256",
			doc: "Number of pages that are rendered at once. One more for every four, and at least one, is in reserve for accounts " +
				"that have none while others hold them all. If it is not set: two for each core, more while processors and memory " +
				"are left, fewer while memory is short.",
			set: number(256, func(s *Settings) *int { return &s.Concurrency }),
		},
		{
			name: "SYNC_WAIT", kind: "duration", value: "25s", form: "a duration from 1s to 110s",
			doc: "How long a synchronous request waits before it is answered with 202 and the capture goes on. Keep it below the " +
				"timeout of every proxy in front.",
			set: duration(time.Second, 110*time.Second, func(s *Settings) *time.Duration { return &s.SyncWait }),
		},
		{
			name: "MAX_PENDING", kind: "number", value: "100000", form: "a whole number from 1 to 10000000",
			doc: "Maximum number of captures that have not ended. Further requests are answered with 503.",
			set: number(10_000_000, func(s *Settings) *int { return &s.MaxPending }),
		},
		{
			name: "FAULT_PATIENCE", kind: "duration", value: "24h", form: "a duration from 1s to 720h",
			doc: "How long a capture waits for a part of the service that does not work (database, picture store, browser, machine) " +
				"before it ends with service_fault.",
			set: duration(time.Second, 720*time.Hour, func(s *Settings) *time.Duration { return &s.FaultPatience }),
		},
		{
			name: "WEBHOOK_RETRY_BASE", kind: "duration", value: "5s", form: "a duration from 10ms to 1h",
			doc: "Wait before the second attempt of a callback. Each further wait is three times as long, at most 12 hours.",
			set: duration(10*time.Millisecond, time.Hour, func(s *Settings) *time.Duration { return &s.WebhookRetryBase }),
		},
		{
			name: "WEBHOOK_MAX_ATTEMPTS", kind: "number", value: "13", form: "a whole number from 1 to 50",
			doc: "Maximum number of attempts of a callback.",
			set: number(50, func(s *Settings) *int { return &s.WebhookMaxAttempts }),
		},
		{
			name: "WEBHOOK_TIMEOUT", kind: "duration", value: "15s", form: "a duration from 100ms to 2m",
			doc: "Time for the receiver of a callback to answer.",
			set: duration(100*time.Millisecond, 2*time.Minute, func(s *Settings) *time.Duration { return &s.WebhookTimeout }),
		},
	}
}

func browserSettings() []setting {
	return []setting{
		{
			name: "BROWSER", kind: "path", shown: "found", form: "the path of chromium-headless-shell",
			doc: "Path of the browser.",
			set: func(s *Settings, text string) error { s.Browser = text; return nil },
		},
		{
			name: "IDLE_BROWSER", kind: "duration", value: "0", form: "a duration up to 24h",
			doc: "How long a browser that nobody uses is kept. Then it ends, and the next capture starts one. 0: it is always kept.",
			set: duration(0, 24*time.Hour, func(s *Settings) *time.Duration { return &s.IdleBrowser }),
		},
		{
			name: "BLOCKLISTS", kind: "folder", shown: "the built-in lists", form: "an existing folder",
			doc: "Folder of filter lists that replace the built-in ones: easylist.txt, easyprivacy.txt, chats.txt. It is checked every " +
				"minute while pages are captured; incomplete files are ignored.",
			set: setBlocklists,
		},
		{
			name: "SANDBOX", kind: "word", value: "required", form: "required or off",
			doc: "Whether the browser must run in its sandbox. Without it, a page that exploits the browser has the rights of the server's user.",
			set: func(s *Settings, text string) error {
				s.SandboxOff = text == "off"
				return oneOf(text, "required", "off")
			},
		},
		{
			name: "JAIL", kind: "word", value: "auto", form: "auto, required or off",
			doc: "Whether the browser lives in a network namespace in which it reaches nothing but the server's own proxies. auto: where " +
				"the kernel allows it (Linux, as root or with user namespaces); elsewhere the browser's flags and the proxies hold it alone. " +
				"required: the server does not start without one.",
			set: func(s *Settings, text string) error {
				s.Jail = text
				return oneOf(text, "auto", "required", "off")
			},
		},
	}
}

func processSettings() []setting {
	return []setting{
		{
			name: "GRACE", kind: "duration", value: "25s", form: "a duration from 0s to 10m",
			doc: "Time for running captures to end after SIGTERM. The next start continues the others.",
			set: duration(0, 10*time.Minute, func(s *Settings) *time.Duration { return &s.Grace }),
		},
		{
			name: "LOG_FORMAT", kind: "word", value: "auto", form: "text, json or auto",
			doc: "Format of the log on standard error. auto is text on a terminal and json elsewhere.",
			set: func(s *Settings, text string) error {
				s.LogFormat = text
				return oneOf(text, "text", "json", "auto")
			},
		},
		{
			name: "LOG_LEVEL", kind: "word", value: "info", form: "debug, info, warn or error",
			doc: "Minimum level of log messages.",
			set: setLogLevel,
		},
	}
}

func setAddress(to *string, text string) error {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return errForm
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return errForm
	}
	*to = text
	return nil
}

func setHosts(s *Settings, text string) error {
	s.Hosts = nil
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		if u, err := url.Parse("http://" + name + "/"); name == "" || err != nil || u.Hostname() != name {
			return errForm
		}
		s.Hosts = append(s.Hosts, name)
	}
	return nil
}

func setBaseURL(to *string, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return errForm
	}
	*to = strings.TrimRight(text, "/")
	return nil
}

func setDatabase(s *Settings, text string) error {
	s.Database = Secret(text)
	_, err := engineOf(text)
	return err
}

// database is where the records are kept.
func (s Settings) database() (ledger.Database, error) {
	return databaseAt(s.Database.Reveal(), s.Data)
}

func setRoles(s *Settings, text string) error {
	s.Roles = nil
	for role := range strings.SplitSeq(text, ",") {
		role = strings.TrimSpace(role)
		if err := oneOf(role, roleAPI, roleRender, roleDeliver); err != nil {
			return err
		}
		s.Roles = append(s.Roles, role)
	}
	return nil
}

func setLogLevel(s *Settings, text string) error {
	if err := oneOf(text, "debug", "info", "warn", "error"); err != nil {
		return err
	}
	return s.LogLevel.UnmarshalText([]byte(text))
}

func oneOf(text string, words ...string) error {
	if slices.Contains(words, text) {
		return nil
	}
	return errForm
}

// number takes whole numbers from 1.
func number(highest int, field func(*Settings) *int) func(*Settings, string) error {
	return func(s *Settings, text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > highest {
			return errForm
		}
		*field(s) = n
		return nil
	}
}

// duration takes durations within the bounds.
func duration(lowest, highest time.Duration, field func(*Settings) *time.Duration) func(*Settings, string) error {
	return func(s *Settings, text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < lowest || d > highest {
			return errForm
		}
		*field(s) = d
		return nil
	}
}

func setBlocklists(s *Settings, text string) error {
	if info, err := os.Stat(text); err != nil || !info.IsDir() {
		return errForm
	}
	s.Blocklists = text
	return nil
}
