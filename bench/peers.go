package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	_ "embed" // for what names the peers
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/savepage/savepage/internal/browser"
)

//go:embed peers/package-lock.json
var peersLock []byte

//go:embed peers/cluster.mjs
var clusterScript string

// cluster is puppeteer-cluster behind HTTP, with the browser that the service uses.
type cluster struct {
	cmd  *exec.Cmd
	in   io.Closer
	base string
	http *http.Client
}

// startCluster starts it with so many pages at once. scripts/install-test-tools peers has put its packages into the user's cache.
func startCluster(ctx context.Context, pages int) (*cluster, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(peersLock)
	packages := filepath.Join(cache, "savepage", "peers-"+hex.EncodeToString(sum[:])[:16], "node_modules")
	if _, err := os.Stat(packages); err != nil {
		return nil, fmt.Errorf("%w: scripts/install-test-tools peers installs it", err)
	}
	path, _, err := browser.Find()
	if err != nil {
		return nil, err
	}
	args := []string{"--input-type=module", "-e", clusterScript, packages, path, strconv.Itoa(pages)}
	cmd := exec.CommandContext(ctx, "node", args...) //nolint:gosec // as above
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &cluster{cmd: cmd, in: in, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		return nil, errors.Join(errors.New("puppeteer-cluster did not start"), lines.Err(), c.close())
	}
	c.base = lines.Text()
	return c, nil
}

func (c *cluster) capture(ctx context.Context, of job) (int, error) {
	query := url.Values{"url": {of.url}}
	if of.whole {
		query.Set("whole", "1")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/?"+query.Encode(), nil)
	if err != nil {
		return 0, err
	}
	answer, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	return length(answer)
}

func (c *cluster) pid() int { return c.cmd.Process.Pid }

func (c *cluster) close() error {
	_ = c.in.Close()
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("puppeteer-cluster ended with %w", err)
	}
	return nil
}

// length reads an answer to its end and returns its length in bytes.
func length(answer *http.Response) (int, error) {
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", answer.StatusCode, text)
	}
	return len(text), err
}
