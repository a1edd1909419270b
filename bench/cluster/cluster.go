package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/savepage/savepage/internal/ledger/pgtest"
	"github.com/savepage/savepage/internal/s3server"
)

const (
	database = "savepage"
	bucket   = "pictures"
)

// cluster is what runs: its parts in the order in which they are started. A part that does not run is nil.
type cluster struct {
	settings settings
	out      *lines

	records  *pgtest.Server
	pictures *s3server.Server
	key      string
	nodes    []*node
	watching sync.WaitGroup
}

// tasks are the roles of the nodes: two do each, so that one of them may be killed at any time.
func tasks() []string { return []string{"api,deliver", "api,render", "render,deliver"} }

// start starts everything and returns when all nodes are ready.
func (c *cluster) start(ctx context.Context) (err error) {
	if c.records, err = pgtest.Open(ctx, filepath.Join(c.settings.data, "postgres")); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := os.MkdirAll(c.folder("buckets"), 0o700); err != nil {
		return err
	}
	if c.pictures, err = s3server.Start(ctx, c.folder("buckets")); err != nil {
		return fmt.Errorf("start the S3 server: %w", err)
	}
	environment, err := c.environment(ctx)
	if err != nil {
		return err
	}
	if c.key, err = c.firstKey(ctx, environment); err != nil {
		return err
	}
	listens, err := c.addresses(ctx)
	if err != nil {
		return err
	}
	environment = append(environment, "SAVEPAGE_PUBLIC_URL=http://"+listens[0])
	for i, roles := range tasks() {
		name := "node-" + strconv.Itoa(i+1)
		c.nodes = append(c.nodes, &node{
			name: name, roles: roles, listen: listens[i], binary: c.settings.binary, out: c.out,
			environment: append(slices.Clone(environment),
				"SAVEPAGE_LISTEN="+listens[i], "SAVEPAGE_ROLES="+roles, "SAVEPAGE_DATA="+c.folder(name)),
		})
	}
	// The first one makes the tables, and the others find them.
	for _, one := range c.nodes {
		if err := one.start(); err != nil {
			return err
		}
		if err := one.ready(ctx); err != nil {
			return err
		}
	}
	for _, one := range c.nodes {
		c.watching.Go(func() { one.keepRunning(ctx, c.settings.again) })
	}
	return nil
}

func (c *cluster) folder(name string) string { return filepath.Join(c.settings.data, name) }

// environment is what all nodes have in common. The caller's own variables hold where the cluster has none.
func (c *cluster) environment(ctx context.Context) ([]string, error) {
	has, err := c.records.Has(ctx, database)
	if err == nil && !has {
		err = c.records.Create(ctx, database, "")
	}
	if err != nil {
		return nil, err
	}
	blobs, err := c.pictures.Bucket(bucket, "trial")
	if err != nil {
		return nil, err
	}
	ours := []string{
		"SAVEPAGE_DATABASE=" + c.records.Address(database), "SAVEPAGE_DATABASE_FILE=", "SAVEPAGE_BLOBS=" + blobs,
		"AWS_ACCESS_KEY_ID=" + s3server.AccessKey, "AWS_SECRET_ACCESS_KEY=" + s3server.SecretKey, "AWS_SESSION_TOKEN=",
		"SAVEPAGE_METRICS_LISTEN=", "SAVEPAGE_TLS_CERT=", "SAVEPAGE_TLS_KEY=",
	}
	if os.Getenv("SAVEPAGE_LOG_FORMAT") == "" {
		ours = append(ours, "SAVEPAGE_LOG_FORMAT=text")
	}
	return append(os.Environ(), ours...), nil
}

// firstKey is the key of the first account: from a file in the folder, or made at the first start. A service shows a key once
// and keeps a digest of it; a trial may be started again.
func (c *cluster) firstKey(ctx context.Context, environment []string) (string, error) {
	path := c.folder("key.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		//nolint:gosec // the program that was named
		create := exec.CommandContext(ctx, c.settings.binary, "key", "create", "--json", "--scopes", "capture,read,admin",
			"--data", c.folder("node-1"))
		create.Env, create.Stderr = environment, os.Stderr
		if text, err = create.Output(); err != nil {
			return "", fmt.Errorf("make a key: %w", err)
		}
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		return "", err
	}
	var made struct{ Key string }
	if err := json.Unmarshal(text, &made); err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return made.Key, nil
}

// addresses are those of the nodes: ports in a row, and a free one for each that is taken.
func (c *cluster) addresses(ctx context.Context) ([]string, error) {
	var found []string
	for i := range tasks() {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", c.settings.port+i))
		if err != nil {
			listener, err = new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		}
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		// All are held until the last is found, so that none is found twice.
		defer func() { _ = listener.Close() }()
		found = append(found, listener.Addr().String())
	}
	return found, nil
}

// stop ends what runs, in order, and joins what went wrong to an error.
func (c *cluster) stop(before error) error {
	all := []error{before}
	for _, one := range c.nodes {
		one.terminate()
	}
	for _, one := range c.nodes {
		all = append(all, one.ended())
	}
	c.watching.Wait()
	if c.pictures != nil {
		all = append(all, c.pictures.Stop())
	}
	if c.records != nil {
		all = append(all, c.records.Stop())
	}
	return errors.Join(all...)
}

// welcome is what is printed when all nodes are ready.
func (c *cluster) welcome() string {
	var text strings.Builder
	text.WriteString("\nThree nodes share a PostgreSQL database and a bucket. Two do each task: any of them may be killed.\n\n")
	for _, one := range c.nodes {
		fmt.Fprintf(&text, "  %s  http://%s  %-14s  process %d\n", one.name, one.listen, one.roles, one.pid())
	}
	fmt.Fprintf(&text, `
A node that ends is started again after %s. Everything is in %s; Ctrl-C ends all.

  dashboard  http://%s/ui/
  key        %s
  database   %s
  bucket     %s/%s (%s, %s)

Capture some HTML:

  curl -fsS -G -H 'Authorization: Bearer %s' http://%s/v1/ --data-urlencode 'html=<h1>It works</h1>' -d response=image -o page.png

`, c.settings.again, c.settings.data, c.nodes[0].listen, c.key, c.records.Address(database), c.pictures.Endpoint(), bucket,
		s3server.AccessKey, s3server.SecretKey, c.key, c.nodes[0].listen)
	return text.String()
}
