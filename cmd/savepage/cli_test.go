package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	_ "golang.org/x/image/webp"
)

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == silentBrowser {
		_ = syscall.Pause() // until it is killed
		return
	}
	testscript.Main(tidied{m}, map[string]func(){"savepage": func() { os.Exit(mainCode()) }})
}

// TestCommands runs the scripts of testdata against the program.
func TestCommands(t *testing.T) {
	page := httptest.NewServer(http.HandlerFunc(greenPage))
	t.Cleanup(page.Close)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PAGE", page.URL+"/")
			env.Setenv("HOST", strings.TrimPrefix(page.URL, "http://"))
			env.Setenv("TAKEN", taken.Addr().String())
			env.Setenv("FREE", freeAddress(t))
			// The script's own folder is closed to the user that the browser runs as.
			env.Setenv("TMPDIR", os.TempDir())
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"await":     await,
			"exits":     exits,
			"field":     field,
			"picture":   pictureIs,
			"terminate": terminate,
		},
	})
}

func greenPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, `<!doctype html><title>green</title><body style="margin:0;background:#0f0">`)
}

// freeAddress returns an address that nobody listens on. The system gives its port to no connection while nobody does, and
// browsers and fetch open it: all the ports that they refuse are lower.
func freeAddress(t *testing.T) string {
	t.Helper()
	var given int // the first port that connections get
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(text), &given); err != nil {
		t.Fatal(err)
	}
	const low = 10081
	given = max(given, low+1000) // where connections get these ports too, there are no others
	for range 1000 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", low+rand.IntN(given-low)))
		if err == nil {
			defer func() { _ = l.Close() }()
			return l.Addr().String()
		}
	}
	t.Fatalf("no port below %d is free", given)
	return ""
}

// await asks for an address until it answers 200: await URL.
func await(ts *testscript.TestScript, _ bool, args []string) {
	tick, deadline := time.NewTicker(20*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for {
		answer, err := http.Get(args[0])
		if err == nil {
			_ = answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			ts.Fatalf("%s does not answer 200: %v", args[0], err)
		}
	}
}

// exits runs a program that must end with the given code: exits CODE PROGRAM ARGS.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if err != nil {
		ended, is := err.(*exec.ExitError) //nolint:errorlint // Exec returns it as it is
		if !is {
			ts.Fatalf("%s: %v", args[1], err)
		}
		code = ended.ExitCode()
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("ended with %d, want %s", code, args[0])
	}
}

// terminate sends SIGTERM to the program that was started last.
func terminate(ts *testscript.TestScript, _ bool, _ []string) {
	running := ts.BackgroundCmds()
	ts.Check(running[len(running)-1].Process.Signal(syscall.SIGTERM))
}

// field puts a field of a JSON file into a variable: field FILE NAME VARIABLE.
func field(ts *testscript.TestScript, _ bool, args []string) {
	var fields map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &fields))
	ts.Setenv(args[2], fmt.Sprint(fields[args[1]]))
}

// pictureIs checks a picture: picture FILE FORMAT WIDTH HEIGHT COLOUR. The colour is that of the middle.
func pictureIs(ts *testscript.TestScript, _ bool, args []string) {
	picture, format, err := image.Decode(bytes.NewReader([]byte(ts.ReadFile(args[0]))))
	ts.Check(err)
	size := picture.Bounds().Size()
	got := fmt.Sprintf("%s %d %d", format, size.X, size.Y)
	if want := strings.Join(args[1:4], " "); got != want {
		ts.Fatalf("%s is %s, want %s", args[0], got, want)
	}
	r, g, b, _ := picture.At(size.X/2, size.Y/2).RGBA()
	for i, channel := range []uint32{r >> 8, g >> 8, b >> 8} {
		want, err := strconv.ParseInt(args[4][2*i:2*i+2], 16, 64)
		ts.Check(err)
		// jpeg and webp come close, not exactly.
		if off := int64(channel) - want; off < -24 || off > 24 {
			ts.Fatalf("the middle of %s is %02x%02x%02x, want %s", args[0], r>>8, g>>8, b>>8, args[4])
		}
	}
}
