package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/chromedp/cdproto/target"

	"github.com/savepage/savepage/internal/cdp"
)

// floor is the bare driver: one browser with the service's flags and contexts made ahead, each used once, that only
// navigates, waits for the load event and shoots. It has no queue, no HTTP, no store, no guard.
type floor struct {
	cmd     *exec.Cmd
	conn    *cdp.Conn
	profile string
	ready   chan *bare
	stop    context.CancelFunc
	done    chan struct{}
}

// bare is one page in a context of its own.
type bare struct {
	session *cdp.Session
	context string
	loaded  chan struct{}
}

// startFloor starts a browser with the arguments of the one that the service runs, less the guard's proxy.
func startFloor(ctx context.Context, servicePID, ahead int) (*floor, error) {
	args, err := browserArgs(servicePID)
	if err != nil {
		return nil, err
	}
	profile, err := os.MkdirTemp("", "savepage-floor-")
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, args[0], floorFlags(args[1:], profile)...) //nolint:gosec // the browser that the service runs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: floorUID, Gid: floorUID}
		if err := os.Chown(profile, floorUID, floorUID); err != nil {
			return nil, err
		}
	}
	cmd.Env = []string{"HOME=" + profile, "TMPDIR=" + profile, "LANG=C.UTF-8"}
	conn, err := startOnPipe(cmd)
	if err != nil {
		return nil, err
	}
	making, stop := context.WithCancel(ctx)
	f := &floor{cmd: cmd, conn: conn, profile: profile, ready: make(chan *bare, ahead), stop: stop, done: make(chan struct{})}
	go f.makeAhead(making)
	return f, nil
}

// floorUID is a user that nothing belongs to: Chromium keeps its sandbox, which it gives up for root.
const floorUID = 61399

func startOnPipe(cmd *exec.Cmd) (*cdp.Conn, error) {
	toBrowser, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, fromBrowser, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.ExtraFiles = []*os.File{toBrowser, fromBrowser}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	_, _ = toBrowser.Close(), fromBrowser.Close()
	return cdp.NewConn(in, out), nil
}

// browserArgs returns the path of the browser below a process and its flags, without their dashes.
func browserArgs(root int) ([]string, error) {
	parents, _, err := processes()
	if err != nil {
		return nil, err
	}
	for pid := range parents {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		line := strings.TrimRight(strings.ReplaceAll(string(text), "\x00", " "), " ")
		args := strings.Split(line, " --") // Chromium writes its arguments with spaces between
		isMain := slices.Contains(args, "remote-debugging-pipe") && !strings.Contains(line, " --type=")
		if err == nil && below(parents, pid, root) && isMain {
			return args, nil
		}
	}
	return nil, errors.New("the service runs no browser")
}

// floorFlags leaves out what sends the service's pages through the guard.
func floorFlags(args []string, profile string) []string {
	kept := []string{"--user-data-dir=" + profile}
	for _, arg := range args {
		name, _, _ := strings.Cut(arg, "=")
		switch name {
		case "user-data-dir", "proxy-server", "proxy-bypass-list", "host-resolver-rules":
		default:
			kept = append(kept, "--"+arg)
		}
	}
	return kept
}

func (f *floor) makeAhead(ctx context.Context) {
	defer close(f.done)
	for ctx.Err() == nil {
		page, err := f.newPage(ctx)
		if err != nil {
			return
		}
		select {
		case f.ready <- page:
		case <-ctx.Done():
		}
	}
}

func (f *floor) newPage(ctx context.Context) (*bare, error) {
	var made struct {
		BrowserContextID string `json:"browserContextId"`
		TargetID         string `json:"targetId"`
		SessionID        string `json:"sessionId"`
	}
	root := f.conn.Browser()
	if err := root.Execute(ctx, "Target.createBrowserContext", map[string]any{"disposeOnDetach": true}, &made); err != nil {
		return nil, err
	}
	page := map[string]any{"url": "about:blank", "browserContextId": made.BrowserContextID, "width": 1440, "height": 900}
	if err := root.Execute(ctx, "Target.createTarget", page, &made); err != nil {
		return nil, err
	}
	if err := root.Execute(ctx, "Target.attachToTarget", map[string]any{"targetId": made.TargetID, "flatten": true}, &made); err != nil {
		return nil, err
	}
	b := &bare{session: f.conn.Attach(target.SessionID(made.SessionID)), context: made.BrowserContextID, loaded: make(chan struct{}, 8)}
	b.session.Listen(func(method string, _ json.RawMessage) {
		if method == "Page.loadEventFired" {
			select {
			case b.loaded <- struct{}{}:
			default:
			}
		}
	})
	return b, b.session.Execute(ctx, "Page.enable", nil, nil)
}

// capture takes a page made ahead, navigates, shoots and returns the picture's size in bytes.
func (f *floor) capture(ctx context.Context, of job) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var page *bare
	select {
	case page = <-f.ready:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	defer f.conn.Browser().Send("Target.disposeBrowserContext", map[string]any{"browserContextId": page.context})
	metrics := map[string]any{"width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": false}
	page.session.Send("Emulation.setDeviceMetricsOverride", metrics)
	var went struct {
		ErrorText string `json:"errorText"`
	}
	if err := page.session.Execute(ctx, "Page.navigate", map[string]any{"url": of.url}, &went); err != nil {
		return 0, err
	}
	if went.ErrorText != "" {
		return 0, errors.New(went.ErrorText)
	}
	select {
	case <-page.loaded:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	var shot struct {
		Data string `json:"data"`
	}
	how := map[string]any{"format": "png", "optimizeForSpeed": true}
	if err := page.session.Execute(ctx, "Page.captureScreenshot", how, &shot); err != nil {
		return 0, err
	}
	picture, err := base64.StdEncoding.DecodeString(shot.Data)
	return len(picture), err
}

func (f *floor) pid() int { return f.cmd.Process.Pid }

func (f *floor) close() error {
	f.stop()
	<-f.done
	_ = f.conn.Close()
	_ = syscall.Kill(-f.cmd.Process.Pid, syscall.SIGKILL)
	_ = f.cmd.Wait()
	if err := os.RemoveAll(f.profile); err != nil {
		return fmt.Errorf("remove the floor's profile: %w", err)
	}
	return nil
}
