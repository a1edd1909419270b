package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/cdproto/target"

	wire "github.com/savepage/savepage/internal/cdp"
	"github.com/savepage/savepage/internal/guard"
)

// Every process of a browser is in a network namespace that is not the service's.
func TestBrowserIsInANamespaceOfItsOwn(t *testing.T) {
	p := sharedPool(t)
	tab := take(t, p)
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	pids := groupMembers(tab.browser.process.pid)
	for _, pid := range pids {
		if theirs, err := os.Readlink(procPath(pid, "ns/net")); err == nil && theirs == ours {
			t.Errorf("%s is in the machine's network", commandLine(pid))
		}
	}
	if len(pids) < 3 {
		t.Errorf("the browser has %d processes", len(pids))
	}
	if got := p.Belts(); !got.Sandbox || !got.OwnUser || !got.Jailed || len(got.Missing()) > 0 {
		t.Errorf("the belts are %+v", got)
	}
	mustEvaluate(t, tab, `String(navigator.onLine)`, `"true"`)
	addresses, err := os.ReadFile(procPath(tab.browser.process.pid, "net/if_inet6"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(addresses)) {
		if !strings.HasSuffix(strings.TrimSpace(line), " lo") {
			t.Errorf("an address comes up after the browser has begun, which ends its connections: %s", line)
		}
	}
}

// direct opens a page whose context has no proxy at all, in a browser without the flags that keep it off the network.
func direct(t *testing.T, jailed Jail) *Tab {
	t.Helper()
	p := pool(t, Config{Path: copyOfThisTest(t, asNaked), Pages: 1, Jail: jailed})
	tab := take(t, p)
	root := tab.browser.conn().Browser()
	made, err := wire.Call(within(t), root, target.CreateBrowserContext, target.CreateBrowserContextParams{
		ProxyServer: "direct://", ProxyBypassList: "*",
	})
	if err != nil {
		t.Fatal(err)
	}
	naked := &Tab{browser: tab.browser, context: made.BrowserContextID, crashed: make(chan struct{}), fate: newFate()}
	if err := naked.openPage(within(t), root, ""); err != nil {
		t.Fatal(err)
	}
	return naked
}

// The namespace holds by itself: without a proxy and without any flag of the network nothing reaches the machine. In the
// machine's network the same browser reaches it by every way.
func TestNamespaceHoldsWithoutFlags(t *testing.T) {
	for _, jailed := range []Jail{JailRequired, JailOff} {
		t.Run(string(jailed), func(t *testing.T) {
			c := newCanary(t)
			got, err := evaluate(within(t), direct(t, jailed), strings.ReplaceAll(routes, "PORT", c.port))
			if err != nil {
				t.Fatal(err)
			}
			reached := c.tcp.Load() > 0 && c.udp.Load() > 0 && strings.HasPrefix(got, `"yes,`)
			silent := c.tcp.Load() == 0 && c.udp.Load() == 0 && !strings.Contains(got, "yes")
			if jailed == JailRequired && !silent || jailed == JailOff && !reached {
				t.Errorf("the page says %s, and the canary saw %d requests and %d datagrams", got, c.tcp.Load(), c.udp.Load())
			}
		})
	}
}

// belted is what a service that is not root says of its browser's belts.
func belted(t *testing.T, jailed Jail, helper string) string {
	t.Helper()
	dir := folderForAll(t)
	cmd := exec.Command(copyOfThisTest(t, "service"), helper)
	cmd.Env = append(os.Environ(), asBelted+"="+dir, asJailed+"="+string(jailed))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 61996, Gid: 61996}}
	if err := os.Chown(dir, 61996, 61996); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// sayBelts is that service.
func sayBelts() {
	cfg := Config{Pages: 1, TempDir: os.Getenv(asBelted), Jail: Jail(os.Getenv(asJailed)), Helper: []string{os.Args[1], asHelper}}
	p, err := Start(context.Background(), cfg, guard.New(guard.Config{}), quiet())
	if err != nil {
		fmt.Println(errors.Is(err, ErrJail), err)
		return
	}
	b := p.Belts()
	fmt.Println(b.Confinement(), b.User(), b.Network(), b.NoJail)
	if err := p.Close(); err != nil {
		fmt.Println(err)
	}
}

// A service that is not root says that its browser is the same user, and has the namespace all the same, by its helper.
// Where none can be made it starts without and says why, unless one is required.
func TestBeltsWithoutRoot(t *testing.T) {
	if got := belted(t, JailAuto, "/proc/self/exe"); got != "on service namespace" {
		t.Errorf("with a helper: %s", got)
	}
	if got := belted(t, JailAuto, "/bin/false"); !strings.HasPrefix(got, "on service flags ") || !strings.Contains(got, ErrJail.Error()) {
		t.Errorf("with a helper that fails: %s", got)
	}
	got := belted(t, JailRequired, "/bin/false")
	for _, part := range []string{"true ", "sysctl", "dummy or veth", "SAVEPAGE_JAIL=auto"} {
		if !strings.Contains(got, part) {
			t.Errorf("required and impossible: %q does not name %s", got, part)
		}
	}
	if got := belted(t, JailOff, "/proc/self/exe"); got != "on service flags it is off by SAVEPAGE_JAIL" {
		t.Errorf("off: %s", got)
	}
}

func TestWordsOfBelts(t *testing.T) {
	none := Belts{NoJail: "the reason"}
	if got := []string{none.Confinement(), none.User(), none.Network()}; !slices.Equal(got, []string{"off", "service", "flags"}) {
		t.Errorf("got %v", got)
	}
	if got := none.Missing(); len(got) != 3 || !strings.Contains(got[2], "the reason") {
		t.Errorf("got %q", got)
	}
}
