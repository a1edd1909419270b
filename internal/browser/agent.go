package browser

import (
	"context"
	"os/exec"
	"regexp"
	"sync"
	"time"
)

// Version is how a browser names itself.
type Version struct {
	Product   string // HeadlessChrome/156.0.8078.79
	UserAgent string // of requests
}

// agents remembers the user agent of the program that was asked last: a browser that is started again need not wait for it.
type agents struct {
	mu    sync.Mutex
	of    program
	agent string
}

func (a *agents) ordinary(ctx context.Context, of program, suffix string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.of.is(of) || a.agent == "" {
		a.of, a.agent = of, ordinaryAgent(ctx, of.path, suffix)
	}
	return a.agent
}

// ordinaryAgent is the user agent of an ordinary Chrome of the version that a binary has, with a suffix; empty when the binary
// does not say its version.
func ordinaryAgent(ctx context.Context, path, suffix string) string {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	command := exec.CommandContext(ctx, path, "--version")
	command.WaitDelay = time.Second
	said, err := command.Output()
	major := regexp.MustCompile(`\b(\d+)\.\d+\.\d+\.\d+\b`).FindSubmatch(said)
	if err != nil || major == nil {
		return ""
	}
	agent := "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/" + string(major[1]) + ".0.0.0 Safari/537.36"
	if suffix != "" {
		agent += " " + suffix
	}
	return agent
}
