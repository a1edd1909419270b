package jail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Kind is how a namespace is made.
type Kind string

// The kinds. The empty Kind makes none: the program stays in the network of the machine.
const (
	None   Kind = ""
	Thread Kind = "network namespace"          // made by a thread of this process; needs CAP_SYS_ADMIN
	User   Kind = "user and network namespace" // made together with a user namespace, by a helper
)

// Kinds lists the kinds that may work for this process, best first. helper is the command line that calls Enter; without
// one only a process with CAP_SYS_ADMIN can make a namespace.
func Kinds(helper []string) []Kind {
	var kinds []Kind
	if os.Geteuid() == 0 {
		kinds = append(kinds, Thread)
	}
	if len(helper) > 0 {
		kinds = append(kinds, User)
	}
	return kinds
}

// OnThread runs fn on a goroutine with an operating system's thread of its own, which ends with it. Never the first one of
// the process: it cannot end, and /proc/self/net shows its namespace.
func OnThread(fn func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			fn()
			return
		}
		locked := make(chan struct{}) // while this goroutine holds the first thread the other gets another
		go func() {
			runtime.LockOSThread()
			close(locked)
			fn()
		}()
		<-locked
		runtime.UnlockOSThread()
	}()
}

// Start starts a command in a new namespace. It must be called from OnThread, whose thread is inside from then on, and
// must last as long as the command if that has Pdeathsig. helper is the one that Kinds was given. The caller waits for the
// command and closes the jail, which is nil for None.
func Start(cmd *exec.Cmd, kind Kind, helper []string) (*Jail, error) {
	switch kind {
	case Thread:
		return startOnThread(cmd)
	case User:
		return startByHelper(cmd, helper)
	default:
		return nil, cmd.Start()
	}
}

func startOnThread(cmd *exec.Cmd) (*Jail, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("make a network namespace: %w", err)
	}
	inside, err := furnish()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(err, inside.Close())
	}
	return newJail(inside), nil
}

// furnish makes the namespace of this thread fit for a browser, and listens in it.
func furnish() (*net.TCPListener, error) {
	if err := setUp("lo"); err != nil {
		return nil, err
	}
	if err := pretendNetwork(); err != nil {
		return nil, err
	}
	var listening net.ListenConfig
	listening.SetMultipathTCP(false) // plain TCP sockets can be spliced
	inside, err := listening.Listen(context.Background(), "tcp4", "0.0.0.0:"+strconv.Itoa(port))
	if err != nil {
		return nil, fmt.Errorf("listen in the network namespace: %w", err)
	}
	tcp, is := inside.(*net.TCPListener)
	if !is {
		return nil, errors.Join(fmt.Errorf("listen in the network namespace: a %T", inside), inside.Close())
	}
	return tcp, nil
}

func setUp(name string) error {
	link, err := netlink.LinkByName(name)
	if err == nil {
		err = netlink.LinkSetUp(link)
	}
	if err != nil {
		return fmt.Errorf("set up the interface %s of the network namespace: %w", name, err)
	}
	return nil
}

// The interface that leads nowhere, and its address (RFC 5737: for documentation). A browser that sees loopback only tells
// its pages that they are offline.
const (
	ifaceName    = "nowhere0"
	ifacePeer    = "nowhere1"
	ifaceAddress = "192.0.2.1/32"
)

// noAddress is IN6_ADDR_GEN_MODE_NONE of linux/if_link.h.
const noAddress = 1

// withoutIPv6 keeps an interface from giving itself an IPv6 address a second or two after it is up. The browser would take
// that for another network and end every connection that it has, with net::ERR_NETWORK_CHANGED.
func withoutIPv6(name string) error {
	if _, err := os.Stat("/proc/sys/net/ipv6"); errors.Is(err, fs.ErrNotExist) {
		return nil // the kernel has none
	}
	link, err := netlink.LinkByName(name)
	if err == nil {
		err = netlink.LinkSetIP6AddrGenMode(link, noAddress)
	}
	if err != nil {
		return fmt.Errorf("keep the interface %s of the network namespace without an IPv6 address: %w", name, err)
	}
	return nil
}

func pretendNetwork() error {
	named := netlink.LinkAttrs{Name: ifaceName}
	up := []string{ifaceName}
	if err := netlink.LinkAdd(&netlink.Dummy{LinkAttrs: named}); err != nil {
		if fault := netlink.LinkAdd(&netlink.Veth{LinkAttrs: named, PeerName: ifacePeer}); fault != nil {
			return fmt.Errorf("make an interface in the network namespace: dummy: %w; veth: %w", err, fault)
		}
		up = append(up, ifacePeer)
	}
	link, err := netlink.LinkByName(ifaceName)
	if err != nil {
		return fmt.Errorf("find the interface in the network namespace: %w", err)
	}
	address, err := netlink.ParseAddr(ifaceAddress)
	if err == nil {
		err = netlink.AddrAdd(link, address)
	}
	if err != nil {
		return fmt.Errorf("give the interface in the network namespace an address: %w", err)
	}
	for _, name := range up {
		if err := withoutIPv6(name); err != nil {
			return err
		}
		if err := setUp(name); err != nil {
			return err
		}
	}
	return nil
}
