package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/savepage/savepage/internal/blob/stores"
	"github.com/savepage/savepage/internal/browser"
	"github.com/savepage/savepage/internal/guard"
)

// check is the result of looking for one thing that the service needs.
type check struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Found string `json:"found"`
	Fix   string `json:"fix,omitempty"` // what to do where OK is false, or soon
}

const (
	doctorTimeout = time.Minute
	day           = 24 * time.Hour
	answerTimeout = 10 * time.Second // of a server that may be busy
	minSpace      = 1 << 30          // bytes that must be free in the data folder
)

func newDoctor(env environment) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check what the server needs, and say how to fix what is missing",
		Long:  "Checks everything that the server needs, with the settings that serve would use. The exit code is 1 if a check fails.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := loadSettings(cmd.Flags(), env.environ)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), doctorTimeout)
			defer cancel()
			return printChecks(examine(ctx, s), asJSON, env)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	addSettingFlags(cmd.Flags())
	return cmd
}

// examine makes every check, in the order in which faults should be fixed.
func examine(ctx context.Context, s Settings) []check {
	checks := checkBrowser(ctx, s)
	checks = append(checks, checkFonts(fontFolders()), checkFolder("data", s.Data, "SAVEPAGE_DATA"), checkSpace(s), checkDatabase(ctx, s))
	checks = append(checks, checkPictures(ctx, s)...)
	checks = append(checks, checkListen(ctx, s), checkEgress(s))
	return append(checks, checkOutbound(ctx, s)...)
}

func printChecks(checks []check, asJSON bool, env environment) error {
	healthy := true
	for _, c := range checks {
		healthy = healthy && c.OK
	}
	if asJSON {
		if err := writeJSON(env.out, map[string]any{"ok": healthy, "checks": checks}); err != nil {
			return err
		}
	} else {
		for _, c := range checks {
			mark := "ok  "
			if !c.OK {
				mark = "FAIL"
			}
			_, _ = fmt.Fprintf(env.out, "%s  %-9s %s\n", mark, c.Name, indented(c.Found))
			if c.Fix != "" {
				_, _ = fmt.Fprintf(env.out, "                %s\n", indented(c.Fix))
			}
		}
	}
	if !healthy {
		return errSilent
	}
	return nil
}

// indented sets the further lines of a text below its first.
func indented(text string) string { return strings.ReplaceAll(text, "\n", "\n                ") }

// findBrowser returns the browser that the settings name, or the one that is found.
func findBrowser(named string) (string, error) {
	if named == "" {
		path, looked, err := browser.Find()
		if err != nil {
			return "", fmt.Errorf("%w\nlooked at:\n  %s", err, strings.Join(looked, "\n  "))
		}
		return path, nil
	}
	info, err := os.Stat(named)
	if err != nil {
		return "", fmt.Errorf("SAVEPAGE_BROWSER: %w", err)
	}
	if info.IsDir() || info.Mode()&0o111 == 0 {
		return "", fmt.Errorf("SAVEPAGE_BROWSER is %q: want the path of a program", named)
	}
	return named, nil
}

const installBrowser = "On Debian 12 and newer: apt-get install --no-install-recommends chromium-headless-shell\n" +
	"On Ubuntu: scripts/install-browser of the repository downloads Chrome's headless shell to /opt/chrome-headless-shell.\n" +
	"Elsewhere: npx playwright install --with-deps --only-shell chromium, then set SAVEPAGE_BROWSER to the program."

// checkBrowser looks for the browser and starts it the way the server does, which tries the sandbox too.
func checkBrowser(ctx context.Context, s Settings) []check {
	path, err := findBrowser(s.Browser)
	if err != nil {
		return []check{{Name: "browser", Found: err.Error(), Fix: installBrowser}}
	}
	name, err := browserVersion(ctx, path)
	if err != nil {
		return []check{{Name: "browser", Found: err.Error(), Fix: "The program does not run. " + installBrowser}}
	}
	found := check{Name: "browser", OK: true, Found: name + " at " + path}
	if info, err := os.Stat(path); err == nil {
		found.aged(info.ModTime(), time.Now())
	}
	return append([]check{found}, checkSandbox(ctx, s)...)
}

// oldBrowser is the age from which a browser lacks fixes that everybody knows by then: there are new ones every few weeks.
const oldBrowser = 60 * day

// aged adds how old a browser is, by the date of its file, which packages set to the time at which it was built.
func (c *check) aged(built, now time.Time) {
	days := int(now.Sub(built) / day)
	c.Found += fmt.Sprintf(", of %s, %d days old", built.UTC().Format(time.DateOnly), days)
	if now.Sub(built) > oldBrowser {
		c.Fix = "Install a newer version: browsers get security fixes every few weeks. A running server takes it up by itself."
	}
}

func checkSandbox(ctx context.Context, s Settings) []check {
	policy := guard.New(s.guard(nil))
	pool, err := browser.Start(ctx, browserConfig(s, 1), policy, slog.New(slog.DiscardHandler))
	if err != nil {
		return []check{{Name: "sandbox", Found: "the browser does not start", Fix: err.Error()}}
	}
	if err := errors.Join(pool.Ready(), pool.Close()); err != nil { //nolint:contextcheck // both bound their own time
		return []check{{Name: "sandbox", Found: "the browser does not answer", Fix: err.Error()}}
	}
	return checkBelts(pool.Belts())
}

func fontFolders() []string {
	folders := []string{"/usr/share/fonts", "/usr/local/share/fonts"}
	if home, err := os.UserHomeDir(); err == nil {
		folders = append(folders, filepath.Join(home, ".fonts"), filepath.Join(home, ".local/share/fonts"))
	}
	return folders
}

// checkFonts counts font files. A browser without any draws boxes.
func checkFonts(folders []string) check {
	count := 0
	for _, folder := range folders {
		_ = filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return nil //nolint:nilerr // a folder that is missing or unreadable has no usable fonts
			}
			switch strings.ToLower(filepath.Ext(path)) {
			case ".ttf", ".otf", ".ttc", ".pfb":
				count++
			}
			return nil
		})
	}
	if count == 0 {
		return check{
			Name: "fonts", Found: "none in " + strings.Join(folders, ", "),
			Fix: "On Debian and Ubuntu: apt-get install --no-install-recommends fonts-liberation fonts-dejavu-core fonts-noto-color-emoji",
		}
	}
	return check{Name: "fonts", OK: true, Found: fmt.Sprintf("%d files", count)}
}

// checkFolder tries to write. For a folder that does not exist yet it tries the folder above.
func checkFolder(name, folder, setting string) check {
	there := existing(folder)
	file, err := os.CreateTemp(there, ".doctor-*")
	if err == nil {
		err = errors.Join(file.Close(), os.Remove(file.Name()))
	}
	switch {
	case err != nil:
		return check{Name: name, Found: err.Error(), Fix: "Make the folder writable for this user, or set " + setting + " to another one."}
	case there != folder:
		return check{Name: name, OK: true, Found: folder + " (created at the first start)"}
	default:
		return check{Name: name, OK: true, Found: folder}
	}
}

// checkPictures tries to write where pictures are kept, if that is not in the data folder.
func checkPictures(ctx context.Context, s Settings) []check {
	if s.Blobs == "" {
		return nil
	}
	if !strings.Contains(s.Blobs, "://") {
		return []check{checkFolder("pictures", s.Blobs, "SAVEPAGE_BLOBS")}
	}
	store, err := stores.Share(ctx, s.Blobs)
	if err == nil {
		err = errors.Join(store.Ready(ctx), store.Close())
	}
	if err != nil {
		fix := "Correct SAVEPAGE_BLOBS, the credentials and their rights: get, put, delete and list below the prefix."
		return []check{{Name: "pictures", Found: err.Error(), Fix: fix}}
	}
	named, _, _ := strings.Cut(s.Blobs, "?")
	return []check{{Name: "pictures", OK: true, Found: named + " can be written"}}
}

// existing returns the folder itself or the nearest one above it that exists.
func existing(folder string) string {
	for {
		if _, err := os.Stat(folder); err == nil || folder == filepath.Dir(folder) {
			return folder
		}
		folder = filepath.Dir(folder)
	}
}

func checkSpace(s Settings) check {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(existing(s.Data), &stat); err != nil {
		return check{Name: "space", Found: err.Error(), Fix: "Set SAVEPAGE_DATA to another folder."}
	}
	free := stat.Bavail * uint64(stat.Bsize) //nolint:gosec // a block's size is not negative
	found := fmt.Sprintf("%.1f GB free in the data folder", float64(free)/1e9)
	if free < minSpace {
		return check{Name: "space", Found: found, Fix: "Free some space, set SAVEPAGE_DATA to another folder, or shorten SAVEPAGE_RETENTION."}
	}
	return check{Name: "space", OK: true, Found: found}
}

// checkDatabase changes nothing: opening the database would bring it up to this version.
func checkDatabase(ctx context.Context, s Settings) check {
	database, err := s.database()
	if err != nil {
		return check{Name: "database", Found: err.Error(), Fix: "Correct SAVEPAGE_DATABASE."}
	}
	seen := database.Inspect(ctx)
	return check{Name: "database", OK: seen.Fix == "", Found: seen.Found, Fix: seen.Fix}
}

// checkListen accepts a free port, and one on which SavePage serves already, and says which address browsers do not open.
func checkListen(ctx context.Context, s Settings) check {
	found := checkAddress(ctx, s)
	closed := closedToBrowsers(s.publicURL(s.Listen), s.CDNURL)
	if found.OK && len(closed) > 0 {
		found.Found += "; browsers open no address with the port of " + strings.Join(closed, ", ")
		found.Fix = "Choose another port: SAVEPAGE_LISTEN, SAVEPAGE_PUBLIC_URL or SAVEPAGE_CDN_URL."
	}
	return found
}

func checkAddress(ctx context.Context, s Settings) check {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.Listen)
	if err == nil {
		_ = listener.Close()
		return check{Name: "listen", OK: true, Found: s.Listen + " is free"}
	}
	if askHealth(ctx, s.base(s.Listen)+"/healthz", io.Discard) == nil {
		return check{Name: "listen", OK: true, Found: "a server answers on " + s.Listen}
	}
	return check{Name: "listen", Found: err.Error(), Fix: "Set SAVEPAGE_LISTEN to another address."}
}

func checkEgress(s Settings) check {
	if len(s.EgressAllow) == 0 {
		return check{Name: "egress", OK: true, Found: "public addresses only"}
	}
	rules := make([]string, len(s.EgressAllow))
	for i, rule := range s.EgressAllow {
		rules[i] = rule.String()
	}
	return check{Name: "egress", OK: true, Found: "public addresses and " + strings.Join(rules, ", ")}
}

// checkOutbound connects to the proxy through which public addresses are reached, if there is to be one.
func checkOutbound(ctx context.Context, s Settings) []check {
	if s.Outbound == nil {
		return nil
	}
	if err := guard.WayOut(ctx, s.Outbound); err != nil {
		return []check{{Name: "proxy", Found: err.Error(), Fix: "Start the proxy, or correct SAVEPAGE_OUTBOUND_PROXY."}}
	}
	return []check{{Name: "proxy", OK: true, Found: "the outbound proxy answers at " + s.Outbound.Host}}
}
