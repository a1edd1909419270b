// Command cluster serves as several machines do, on this one: a PostgreSQL server, an S3-compatible server and three nodes that
// share nothing else, until it is interrupted. It keeps everything in a folder and goes on with it when it is started again. It
// is for trials: what it starts listens on loopback, and its passwords are no secrets.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// settings are the command line.
type settings struct {
	binary string
	data   string
	port   int
	again  time.Duration // until a node that ended is started again
}

func main() {
	s := settings{again: 15 * time.Second}
	flag.StringVar(&s.binary, "binary", "bin/savepage", "the program")
	flag.StringVar(&s.data, "data", "data-cluster", "folder of databases, buckets and nodes")
	flag.IntVar(&s.port, "port", 8080, "of the first node; the others have the next ones; where one is taken, any")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second interrupt ends it at once
	err := run(ctx, s, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

// run serves until the context ends.
func run(ctx context.Context, s settings, out io.Writer) (err error) {
	lock, err := own(s.data)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	c := &cluster{settings: s, out: &lines{to: out}}
	// What has been begun is ended in order, also when an interrupt comes at the start.
	defer func() { err = c.stop(err) }()
	if err := c.start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	c.out.print(c.welcome())
	<-ctx.Done()
	c.out.print("\nstopping; interrupt once more to end at once\n")
	return nil
}

// own makes the folder, if it is not there, and keeps others from using it. The file that it returns holds the lock.
func own(folder string) (*os.File, error) {
	// The user as whom PostgreSQL runs has a folder in it.
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s is in use by another cluster: end it, or name another folder", folder)
	}
	return file, nil
}
