package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/savepage/savepage/internal/ledger/pgtest"
	"github.com/savepage/savepage/internal/ledger/postgres"
	"github.com/savepage/savepage/internal/s3server"
)

// databaseName is the one that the nodes serve.
const databaseName = "chaos"

// cluster is nodes with what they share, and a load balancer before them.
type cluster struct {
	nodes  []*node
	server *pgtest.Server // nil: SQLite and a folder
	pooler *pgtest.Pooler
	bucket *s3server.Server
	dir    string  // of the buckets
	admin  *sql.DB // beside the nodes and the pool

	ended   sync.WaitGroup
	crashes atomic.Int64 // nodes that ended though nobody ended them
}

// node is one process of the service, which is started again whenever it ends.
type node struct {
	*service

	records, pictures *relay // nil with SQLite
	small             bool   // its data folder is a small disk of its own
	down              gate   // shut: it stays ended
	asked             atomic.Bool
}

// newCluster makes three nodes on PostgreSQL and a bucket, or one with SQLite and a folder.
func newCluster(ctx context.Context, s settings) (c *cluster, err error) {
	c = &cluster{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close(false))
		}
	}()
	count := 1
	if s.engine == "postgres" {
		count = 3
		if err := c.shared(ctx); err != nil {
			return c, err
		}
	}
	for i := range count {
		n, err := c.newNode(ctx, s)
		if err != nil {
			return c, err
		}
		if i > 0 {
			n.key = c.nodes[0].key
		} else if err := n.makeKey(ctx, n.args...); err != nil {
			return c, err
		}
		c.nodes = append(c.nodes, n)
	}
	return c, nil
}

// shared starts what the nodes share.
func (c *cluster) shared(ctx context.Context) (err error) {
	if c.server, err = pgtest.Start(ctx); err != nil {
		return err
	}
	if err := c.server.Create(ctx, databaseName, ""); err != nil {
		return err
	}
	if c.pooler, err = c.server.Pool(ctx, "session"); err != nil {
		return err
	}
	if c.admin, err = postgres.At(c.server.Address(databaseName)).Connect(ctx); err != nil {
		return err
	}
	if c.dir, err = os.MkdirTemp("", "savepage-buckets-"); err != nil {
		return err
	}
	if c.bucket, err = s3server.Start(ctx, c.dir); err != nil {
		return err
	}
	if _, err = c.bucket.Bucket("pictures", ""); err != nil {
		return err
	}
	return errors.Join(os.Setenv("AWS_ACCESS_KEY_ID", s3server.AccessKey), os.Setenv("AWS_SECRET_ACCESS_KEY", s3server.SecretKey))
}

// diskBytes is how large the disk of a node's data folder is.
const diskBytes = 256 << 20

func (c *cluster) newNode(ctx context.Context, s settings) (*node, error) {
	made, err := prepare(ctx, s.binary, true)
	if err != nil {
		return nil, err
	}
	n := &node{service: made}
	if err := os.Mkdir(n.data(), 0o700); err != nil {
		return nil, err
	}
	n.small = unix.Mount("chaos", n.data(), "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", diskBytes)) == nil
	if c.server == nil {
		return n, nil
	}
	socket, err := url.QueryUnescape(strings.SplitAfter(c.pooler.Address(databaseName), "host=")[1])
	if err != nil {
		return nil, err
	}
	if n.records, err = newRelay(ctx, "unix", filepath.Join(socket, ".s.PGSQL.6432")); err != nil {
		return nil, err
	}
	if n.pictures, err = newRelay(ctx, "tcp", strings.TrimPrefix(c.bucket.Endpoint(), "http://")); err != nil {
		return nil, err
	}
	n.args = []string{"--database", "postgres://savepage@" + n.records.address() + "/" + databaseName + "?sslmode=disable"}
	return n, nil
}

// pagesEach is how many pages each of several nodes on one machine renders at once.
const pagesEach = 2

// start starts every node, and returns when all are ready. They are started again whenever they end, until ctx does.
func (c *cluster) start(ctx context.Context) error {
	for _, n := range c.nodes {
		if len(c.nodes) > 1 {
			n.args = append(n.args, "--concurrency", strconv.Itoa(pagesEach)) // each takes itself to be alone on the machine
		}
		if n.pictures != nil {
			n.args = append(n.args, "--blobs", "s3://pictures/here?region=us-east-1&endpoint="+url.QueryEscape("http://"+n.pictures.address()))
		}
		if err := n.start(ctx); err != nil {
			return err
		}
		c.ended.Go(func() { c.keep(ctx, n) })
	}
	return nil
}

// keep starts a node again whenever it has ended, as a service manager does.
func (c *cluster) keep(ctx context.Context, n *node) {
	for {
		n.mu.Lock()
		exited := n.exited
		n.mu.Unlock()
		select {
		case <-exited:
		case <-ctx.Done():
			return
		}
		if !n.asked.Swap(false) {
			c.crashes.Add(1)
		}
		n.down.wait()
		if !pause(ctx, 200*time.Millisecond) {
			return
		}
		if _, err := n.begin(ctx); err != nil {
			fmt.Println("a node does not start:", err)
			return
		}
	}
}

// kill signals a node and keeps it down until it is let up.
func (n *node) kill(signal syscall.Signal) {
	n.down.close()
	n.asked.Store(true)
	n.mu.Lock()
	defer n.mu.Unlock()
	_ = n.cmd.Process.Signal(signal)
}

// call asks a node, and another one if nobody listens there: what a load balancer does.
func (c *cluster) call(ctx context.Context, method, path string, body any, header ...string) (status int, text []byte, err error) {
	first := rand.IntN(len(c.nodes)) //nolint:gosec // it is not for secrets
	for i := range c.nodes {
		status, text, err = c.nodes[(first+i)%len(c.nodes)].call(ctx, method, path, body, header...)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			return status, text, err
		}
	}
	return status, text, err
}

// close ends everything. The logs of the nodes are kept where that is asked for.
func (c *cluster) close(keep bool) error {
	var errs []error
	for _, n := range c.nodes {
		if n.cmd != nil {
			n.end(syscall.SIGTERM)
		}
		for _, r := range []*relay{n.records, n.pictures} {
			if r != nil {
				r.close()
			}
		}
		if n.small {
			errs = append(errs, unix.Unmount(n.data(), unix.MNT_DETACH))
		}
		_ = n.log.Close()
		if keep {
			fmt.Fprintln(os.Stderr, "soak: a node's log is in", n.dir)
			continue
		}
		errs = append(errs, os.RemoveAll(n.dir))
	}
	if c.admin != nil {
		errs = append(errs, c.admin.Close())
	}
	if c.pooler != nil {
		errs = append(errs, c.pooler.Stop())
	}
	if c.server != nil {
		errs = append(errs, c.server.Stop())
	}
	if c.bucket != nil {
		errs = append(errs, c.bucket.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(c.dir))...)
}
