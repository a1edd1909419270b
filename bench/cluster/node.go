package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Bounds of a node's life.
const (
	readyWithin = 2 * time.Minute
	lookEvery   = 50 * time.Millisecond
	// endWithin is longer than a node's own grace, which may be set.
	endWithin = 12 * time.Minute
	longest   = 1 << 20 // bytes of a line of the log
)

// node is one process of the program. It is safe for concurrent use.
type node struct {
	name, roles, listen, binary string
	environment                 []string
	out                         *lines

	mu      sync.Mutex
	process *exec.Cmd
	exited  chan struct{} // of process
	over    bool          // it is not started again
}

// start starts the process. It is in a group of its own: an interrupt reaches it by way of the cluster, in order.
func (n *node) start() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.over {
		return nil
	}
	//nolint:noctx,gosec // terminate ends it; the program that was named
	process := exec.Command(n.binary, "serve")
	process.Env = n.environment
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	from, to := io.Pipe()
	process.Stdout, process.Stderr = to, to
	if err := process.Start(); err != nil {
		return fmt.Errorf("start %s: %w", n.name, err)
	}
	exited := make(chan struct{})
	n.process, n.exited = process, exited
	var copying sync.WaitGroup
	copying.Go(func() { n.copy(from) })
	go func() {
		_ = process.Wait() // how it ended, its state says
		_ = to.Close()
		copying.Wait()
		close(exited)
	}()
	return nil
}

// copy prints what the node writes, each line behind the node's name.
func (n *node) copy(from io.Reader) {
	scanner := bufio.NewScanner(from)
	scanner.Buffer(nil, longest)
	for scanner.Scan() {
		n.out.print(n.name + "  " + scanner.Text() + "\n")
	}
	_, _ = io.Copy(io.Discard, from) // after a longer line the node must not wait for a reader
}

// current is the process that runs, or the last one.
func (n *node) current() (*exec.Cmd, chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.process, n.exited
}

func (n *node) pid() int {
	process, _ := n.current()
	return process.Process.Pid
}

// ready returns when the node takes requests.
func (n *node) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	process, exited := n.current()
	for {
		if n.answers(ctx) {
			return nil
		}
		select {
		case <-look.C:
		case <-exited:
			return fmt.Errorf("%s ended at its start: %s", n.name, process.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", n.name, ctx.Err())
		}
	}
}

func (n *node) answers(ctx context.Context) bool {
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.listen+"/readyz", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// keepRunning starts the node again whenever it has ended, until the context ends.
func (n *node) keepRunning(ctx context.Context, after time.Duration) {
	for {
		process, exited := n.current()
		select {
		case <-exited:
		case <-ctx.Done():
			return
		}
		n.out.print(fmt.Sprintf("%s ended (%s); it is started again in %s\n", n.name, process.ProcessState, after))
		select {
		case <-time.After(after):
		case <-ctx.Done():
			return
		}
		if err := n.start(); err != nil {
			n.out.print(err.Error() + "\n")
			return
		}
	}
}

// terminate asks the node to end, for good.
func (n *node) terminate() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.over = true
	if n.process != nil {
		_ = n.process.Process.Signal(syscall.SIGTERM) // it may have ended
	}
}

// ended waits until the node has ended. One that was never started has.
func (n *node) ended() error {
	process, exited := n.current()
	if process == nil {
		return nil
	}
	select {
	case <-exited:
		return nil
	case <-time.After(endWithin):
		err := process.Process.Kill()
		<-exited
		return errors.Join(fmt.Errorf("%s had to be killed", n.name), err)
	}
}

// lines writes whole texts of several writers.
type lines struct {
	mu sync.Mutex
	to io.Writer
}

func (l *lines) print(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = io.WriteString(l.to, text)
}
