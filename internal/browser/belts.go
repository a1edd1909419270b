package browser

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/savepage/savepage/internal/guard"
	"github.com/savepage/savepage/internal/jail"
)

// Jail is whether Chromium must live in a network namespace that holds only the proxies of its captures.
type Jail string

// The three ways. The empty Jail is JailAuto.
const (
	JailAuto     Jail = "auto"     // where the kernel allows it; flags and proxies elsewhere
	JailRequired Jail = "required" // no start without one
	JailOff      Jail = "off"      // never
)

// ErrJail means that no network namespace can be made for the browser. Its wrapper names what is missing.
var ErrJail = errors.New("the browser cannot have a network namespace of its own here")

// Belts are what holds back a page that has taken over its browser.
type Belts struct {
	Sandbox bool   // Chromium's own: pages run under a seccomp filter and in namespaces
	OwnUser bool   // the browser has a user of its own, not the service's
	Jailed  bool   // the browser is in a network namespace that leads nowhere
	NoJail  string // why it is not

	jail jail.Kind
}

// Network is "namespace" or "flags": what keeps the browser off the network.
func (b Belts) Network() string {
	if b.Jailed {
		return "namespace"
	}
	return "flags"
}

// User is "own" or "service": as whom the browser runs.
func (b Belts) User() string {
	if b.OwnUser {
		return "own"
	}
	return "service"
}

// Confinement is "on" or "off": Chromium's sandbox.
func (b Belts) Confinement() string {
	if b.Sandbox {
		return "on"
	}
	return "off"
}

// Missing says in sentences what does not hold a page back, and why.
func (b Belts) Missing() []string {
	var list []string
	if !b.Sandbox {
		list = append(list, "Chromium's sandbox is off by SAVEPAGE_SANDBOX: a page that exploits the browser runs code as the browser's user.")
	}
	if !b.OwnUser {
		list = append(list, "The browser runs as the service's own user, because only root can give it another: "+
			"code that leaves the sandbox can read the service's files.")
	}
	if !b.Jailed {
		list = append(list, "The browser is in the machine's network, where only its flags and the proxy hold it: "+b.NoJail+".")
	}
	return list
}

// Belts are those of the pool's browsers.
func (l *launcher) Belts() Belts { return *l.belts }

// launchFirst starts a pool's first browser with as many belts as hold here. Later browsers have the same, or do not start.
func launchFirst(ctx context.Context, p *Pool) error {
	*p.belts = Belts{Sandbox: p.cfg.Sandbox != Off, OwnUser: os.Geteuid() == 0}
	err := launchJailed(ctx, p)
	switch {
	case err == nil:
		return nil
	case p.cfg.Jail == JailRequired && !errors.Is(err, ErrJail):
		return err // something else keeps the browser from starting
	case p.cfg.Jail == JailRequired:
		return fmt.Errorf("%w. Do one of these: (1) run the service as root, or let it make user namespaces: "+
			"sysctl -w user.max_user_namespaces=10000 kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0, "+
			"as far as these exist, and in a container a seccomp profile that allows clone, setns and unshare; "+
			"(2) load the kernel module dummy or veth; (3) set SAVEPAGE_JAIL=auto", err)
	case ctx.Err() != nil:
		return err
	}
	p.belts.jail, p.belts.Jailed, p.belts.NoJail = jail.None, false, err.Error()
	return p.launch(ctx)
}

// launchJailed tries the kinds of namespaces until a browser works in one.
func launchJailed(ctx context.Context, p *Pool) error {
	if p.cfg.Jail == JailOff {
		return errors.New("it is off by SAVEPAGE_JAIL")
	}
	kinds := jail.Kinds(p.cfg.Helper)
	if len(kinds) == 0 {
		return fmt.Errorf("%w: only root can make one without a helper, and this program has none", ErrJail)
	}
	var faults []error
	for _, kind := range kinds {
		p.belts.jail, p.belts.Jailed = kind, true
		err := p.launch(ctx)
		if err == nil {
			return nil
		}
		p.log.Debug("no browser in a namespace", slog.String("kind", string(kind)), slog.Any("error", err))
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// identity opens the proxy of one capture where the browser can reach it.
func (l *launcher) identity(b *chromium) (*guard.Identity, error) {
	if b.process.jail == nil {
		return l.policy.NewIdentity(l.cfg.Budget)
	}
	listener, err := b.process.jail.Listen()
	if err != nil {
		return nil, err
	}
	return guard.NewIdentityAt(l.policy, l.cfg.Budget, listener), nil
}
