package main

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestReadmeReceiver runs the receiver that README.md shows, as it is but for its port, and sends it the event of a capture
// that succeeded and of one that failed.
func TestReadmeReceiver(t *testing.T) {
	t.Parallel()
	site, p := startSite(t), newProgram(t)
	p.start()
	listen := freeAddress(t)
	said := startReceiver(t, p, listen)
	hook := "http://" + listen + "/"
	p.submit(map[string]any{"url": site + "/a", "callback_url": hook})
	if got, want := said(), "success "+p.base+"/captures/"; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, ".png") {
		t.Errorf("after a success the receiver printed %q, not what begins with %s", got, want)
	}
	p.submit(map[string]any{"url": site + "/nothing-here", "callback_url": hook, "fail_on": []string{"4xx"}})
	if got := said(); got != "failed None" {
		t.Errorf("after a failure the receiver printed %q, not \"failed None\"", got)
	}
}

// codeIn returns the first block of code of a language in a file of the manual that holds a text.
func codeIn(t *testing.T, file, language, holds string) string {
	t.Helper()
	text, err := os.ReadFile("../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(text), "```"+language+"\n")[1:] {
		if source, _, ended := strings.Cut(block, "```"); ended && strings.Contains(source, holds) {
			return source
		}
	}
	t.Fatalf("%s has no block of %s with %q", file, language, holds)
	return ""
}

// startReceiver starts the receiver and returns what waits for its next line.
func startReceiver(t *testing.T, p *program, listen string) func() string {
	t.Helper()
	source := codeIn(t, "README.md", "python", "class Receiver")
	_, port, err := net.SplitHostPort(listen)
	if err != nil || strings.Count(source, "8090") != 1 {
		t.Fatalf("README.md shows no Python receiver on port 8090 (%v)", err)
	}
	receiver := exec.CommandContext(t.Context(), "python3", "-c", strings.Replace(source, "8090", port, 1))
	receiver.Env = append(os.Environ(), "SECRET="+p.secret)
	receiver.Stderr = os.Stderr
	out, err := receiver.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := receiver.Start(); err != nil {
		t.Fatal(err)
	}
	lines, read := make(chan string), make(chan struct{})
	go func() {
		defer close(read)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			select {
			case lines <- scan.Text():
			case <-t.Context().Done():
			}
		}
	}()
	t.Cleanup(func() {
		_ = receiver.Process.Kill()
		<-read
		_ = receiver.Wait()
	})
	p.eventually("the receiver listens", func() bool {
		conn, err := net.DialTimeout("tcp", listen, time.Second)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
	return func() string {
		select {
		case line := <-lines:
			return line
		case <-time.After(patience):
			t.Fatal("the receiver printed nothing")
			return ""
		}
	}
}
