// Package browser owns Chromium: it finds the binary, starts it in its sandbox, keeps warm contexts that are each used
// once, and keeps a browser's end, growth and leftovers from disturbing captures. It does nothing inside a
// page.
package browser

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/jail"
)

// Sandbox is whether Chromium must run in its own sandbox.
type Sandbox string

// The two ways. The empty Sandbox is Required.
const (
	Required Sandbox = "required" // no start without a working sandbox
	Off      Sandbox = "off"      // an exploit may do what the browser's user may do; only by explicit setting
)

// Config says which browser is started and how it is used. A zero field means its default.
type Config struct {
	Path         string        // binary; empty: the first that Find finds
	Sandbox      Sandbox       // Required
	Pages        int           // pages at once; two for each core
	Warm         int           // contexts kept ready, at most Pages; 0 keeps none
	RecycleAfter int           // captures until a browser is replaced; 1,000
	RecycleAge   time.Duration // age at which a browser that was used is replaced; 30 minutes
	MaxRSS       int64         // bytes of private memory of a browser's processes at which it is replaced; 1 GiB and 256 MiB for each page
	MaxTabRSS    int64         // bytes of resident memory at which a page's process is killed; 1.5 GiB
	MaxOwnRSS    int64         // bytes of resident memory of any other process of the browser at which the busiest page is ended; 1.25 GiB
	Idle         time.Duration // after which a browser that nobody uses ends until it is needed; 0: never
	MovingIdle   time.Duration // after which an unused browser whose pictures move ends; 5 minutes, at most twice that
	TempDir      string        // where profile folders are made; os.TempDir
	Budget       guard.Budget  // of each capture's proxy
	Jail         Jail          // JailAuto
	AgentSuffix  string        // behind the browser's user agent
	Helper       []string      // command line that calls jail.Enter; empty: only a service with CAP_SYS_ADMIN can make a jail

	moving bool      // pictures move
	alone  bool      // one page has the browser to itself
	agent  string    // the browser's user agent; empty: its own
	jail   jail.Kind // which is made for the browser

	cores     int           // that the machine gives
	keepEvery time.Duration // at a browser's age and at its program
}

const (
	defaultRecycleAfter = 1000
	defaultRecycleAge   = 30 * time.Minute
	defaultMaxTabRSS    = 3 << 29
	defaultMaxOwnRSS    = 5 << 28 // a picture on its way takes three times its size there; at 2 GiB the browser dies
	defaultMovingIdle   = 5 * time.Minute
	baseRSS             = 1 << 30
	pageRSS             = 256 << 20
)

func (c Config) withDefaults() (Config, error) {
	switch c.Sandbox {
	case "":
		c.Sandbox = Required
	case Required, Off:
	default:
		return c, fmt.Errorf("sandbox is %q: must be %q or %q", c.Sandbox, Required, Off)
	}
	switch c.Jail {
	case "":
		c.Jail = JailAuto
	case JailAuto, JailRequired, JailOff:
	default:
		return c, fmt.Errorf("jail is %q: must be %q, %q or %q", c.Jail, JailAuto, JailRequired, JailOff)
	}
	if c.Pages < 0 || c.Warm < 0 {
		return c, fmt.Errorf("pages at once is %d and warm contexts %d: must not be negative", c.Pages, c.Warm)
	}
	c.Pages = cmp.Or(c.Pages, 2*runtime.GOMAXPROCS(0))
	c.Warm = min(c.Warm, c.Pages)
	c.RecycleAfter = cmp.Or(c.RecycleAfter, defaultRecycleAfter)
	c.RecycleAge = cmp.Or(c.RecycleAge, defaultRecycleAge)
	c.MaxRSS = cmp.Or(c.MaxRSS, baseRSS+int64(c.Pages)*pageRSS)
	c.MaxTabRSS = cmp.Or(c.MaxTabRSS, defaultMaxTabRSS)
	c.MaxOwnRSS = cmp.Or(c.MaxOwnRSS, defaultMaxOwnRSS)
	c.MovingIdle = cmp.Or(c.MovingIdle, defaultMovingIdle)
	if c.Idle < 0 {
		return c, fmt.Errorf("an idle browser is kept for %s: must not be negative", c.Idle)
	}
	c.cores = cmp.Or(c.cores, runtime.GOMAXPROCS(0))
	c.keepEvery = cmp.Or(c.keepEvery, keepEvery)
	if c.Idle > 0 {
		c.keepEvery = min(c.keepEvery, max(c.Idle/4, time.Millisecond))
	}
	c.TempDir = cmp.Or(c.TempDir, os.TempDir())
	return c, nil
}
