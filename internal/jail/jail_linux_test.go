package jail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// programForAll is the variable that names a copy of the test program which every user can reach.
const programForAll = "SAVEPAGE_TEST_PROGRAM"

// Further lives of the test program: its first argument.
const (
	asHelper  = "become-the-helper"
	asProbe   = "become-a-probe"
	asService = "become-a-service"
)

func TestMain(m *testing.M) {
	// Another user cannot reach the folder of the test program.
	if err := copyForAll(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case asHelper:
			fmt.Fprintln(os.Stderr, Enter(os.Args[2:]))
			os.Exit(1)
		case asProbe:
			probe(os.Args[2:])
			return
		case asService:
			said, err := ask(User, nil, os.Args[2:])
			fmt.Println(said, err)
			return
		}
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	_ = os.RemoveAll(filepath.Dir(os.Getenv(programForAll)))
	os.Exit(code)
}

// copyForAll copies the test program to where every user can reach it, and names it in a variable. The lives after the first
// find it there.
func copyForAll() error {
	if os.Getenv(programForAll) != "" {
		return nil
	}
	dir, err := os.MkdirTemp("/tmp", "savepage-jail-")
	if err != nil {
		return err
	}
	program, err := os.ReadFile("/proc/self/exe")
	path := filepath.Join(dir, "probe")
	return errors.Join(err, os.Chmod(dir, 0o755), os.WriteFile(path, program, 0o755), os.Setenv(programForAll, path))
}

func helper() []string { return []string{"/proc/self/exe", asHelper} }

// probe tries every "network address" of its arguments and says what came of each: the answer, or "nothing".
func probe(tries []string) {
	for _, try := range tries {
		network, address, _ := strings.Cut(try, " ")
		fmt.Printf("%s: %s\n", try, attempt(network, address))
	}
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "Cap") && !strings.HasPrefix(line, "CapBnd") {
			fmt.Print(line)
		}
	}
	ifaces, err := net.Interfaces()
	for _, i := range ifaces {
		fmt.Println("interface", i.Name)
	}
	if err != nil {
		fmt.Println(err)
	}
}

func attempt(network, address string) string {
	conn, err := net.DialTimeout(network, address, 10*time.Second)
	if err != nil {
		return "nothing"
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Write([]byte("hello")); err != nil {
		return "nothing"
	}
	answer := make([]byte, 64)
	n, err := conn.Read(answer)
	if err != nil {
		return "nothing"
	}
	return string(answer[:n])
}

// ask runs a probe in a namespace of the kind, and returns what it said. serve gets the jail before the probe begins to try
// what it returns besides tries.
func ask(kind Kind, credential *syscall.Credential, tries []string) (string, error) {
	var said bytes.Buffer
	done := make(chan error, 1)
	OnThread(func() { done <- runProbe(&said, kind, credential, tries) })
	err := <-done
	return said.String(), err
}

func runProbe(said io.Writer, kind Kind, credential *syscall.Credential, tries []string) error {
	begin, more, err := os.Pipe()
	if err != nil {
		return err
	}
	// The shell waits until the listener is open.
	const wait = `read -r inside && exec "$0" "$@" "tcp $inside"`
	cmd := exec.Command("/bin/sh", slices.Concat([]string{"-c", wait, os.Getenv(programForAll), asProbe}, tries)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = begin, said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	j, err := Start(cmd, kind, helper())
	begin.Close()
	if err != nil {
		return errors.Join(err, more.Close())
	}
	inside := "127.0.0.1:1"
	if j != nil {
		defer j.Close()
		listener, err := j.Listen()
		if err != nil {
			return err
		}
		defer listener.Close()
		go greet(listener)
		inside = listener.Addr().String()
	}
	fmt.Fprintln(more, inside)
	more.Close()
	return cmd.Wait()
}

func greet(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		conn.Write([]byte("the proxy"))
		conn.Close()
	}
}

// canaries listen on every address of this machine, over TCP and UDP, and count what reaches them.
func canaries(t *testing.T) (tries []string, hits *atomic.Int64) {
	t.Helper()
	hits = &atomic.Int64{}
	for _, ip := range append(ownAddresses(t), net.IPv4(127, 0, 0, 1), net.IPv4(127, 8, 8, 8)) {
		listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: ip})
		if err != nil {
			t.Fatal(err)
		}
		packets, err := net.ListenUDP("udp", &net.UDPAddr{IP: ip})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{}, 2)
		t.Cleanup(func() { listener.Close(); packets.Close(); <-ended; <-ended })
		go func() {
			defer func() { ended <- struct{}{} }()
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				hits.Add(1)
				conn.Write([]byte("canary"))
				conn.Close()
			}
		}()
		go func() {
			defer func() { ended <- struct{}{} }()
			for buffer := make([]byte, 100); ; {
				_, from, err := packets.ReadFrom(buffer)
				if err != nil {
					return
				}
				hits.Add(1)
				packets.WriteTo([]byte("canary"), from)
			}
		}()
		tries = append(tries, "tcp "+listener.Addr().String(), "udp "+packets.LocalAddr().String())
	}
	return tries, hits
}

func ownAddresses(t *testing.T) []net.IP {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	var list []net.IP
	for _, one := range addrs {
		if ipnet, is := one.(*net.IPNet); is && !ipnet.IP.IsLoopback() && !ipnet.IP.IsLinkLocalUnicast() {
			list = append(list, ipnet.IP)
		}
	}
	return list
}

// From inside, the listener of the service is reached and nothing else: no address of this machine, no other network, no
// name server. The same probe in the machine's network reaches every canary.
func TestOnlyTheListenerIsReached(t *testing.T) {
	tries, hits := canaries(t)
	outside := []string{"udp 8.8.8.8:53", "tcp 93.184.215.14:80", "udp 127.0.0.1:53", "tcp [2606:4700::1111]:443", "udp 192.168.1.1:53"}
	for _, kind := range []Kind{Thread, User} {
		said, err := ask(kind, nil, append(slices.Clone(tries), outside...))
		if err != nil {
			t.Fatalf("%s: %v: %s", kind, err, said)
		}
		if strings.Count(said, ": nothing\n") != len(tries)+len(outside) || strings.Count(said, ": the proxy\n") != 1 || hits.Load() != 0 {
			t.Errorf("%s: %d reached the canaries, and the probe said:\n%s", kind, hits.Load(), said)
		}
		if !strings.Contains(said, "interface "+ifaceName) {
			t.Errorf("%s: there is no interface that seems to lead to a network:\n%s", kind, said)
		}
	}
	said, err := ask(None, nil, tries)
	if err != nil || int(hits.Load()) != len(tries) || strings.Count(said, ": canary\n") != len(tries) {
		t.Errorf("without a namespace %d of %d canaries were reached: %v\n%s", hits.Load(), len(tries), err, said)
	}
}

// A service that is not root makes the namespace by its helper, and what runs inside has no capability.
func TestWithoutRoot(t *testing.T) {
	tries, hits := canaries(t)
	cmd := exec.Command("/proc/self/exe", append([]string{asService}, tries...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 61998, Gid: 61998}}
	out, err := cmd.CombinedOutput()
	said := string(out)
	if err != nil || strings.Count(said, ": nothing\n") != len(tries) || !strings.Contains(said, ": the proxy\n") || hits.Load() != 0 {
		t.Fatalf("%v: %d reached the canaries, and the probe said:\n%s", err, hits.Load(), said)
	}
	for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapAmb"} {
		if !strings.Contains(said, set+":\t0000000000000000\n") {
			t.Errorf("%s is not empty:\n%s", set, said)
		}
	}
}

// Root without the right to make a network namespace gives the browser a user of its own in a user namespace.
func TestAnotherUserInTheNamespace(t *testing.T) {
	said, err := ask(User, &syscall.Credential{Uid: 61997, Gid: 61997}, nil)
	if err != nil || !strings.Contains(said, ": the proxy\n") || !strings.Contains(said, "CapEff:\t0000000000000000\n") {
		t.Errorf("%v: the probe said:\n%s", err, said)
	}
}

// Each listener has an address of its own; what comes to another is closed.
func TestListeners(t *testing.T) {
	done := make(chan struct{})
	OnThread(func() {
		defer close(done)
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			t.Error(err)
			return
		}
		inside, err := furnish()
		if err != nil {
			t.Error(err)
			return
		}
		j := newJail(inside)
		one, err := j.Listen()
		if err != nil {
			t.Error(err)
		}
		two, err := j.Listen()
		if err != nil {
			t.Error(err)
		}
		go greet(one)
		answer := func(at net.Addr) string { return attempt("tcp", at.String()) }
		if got := answer(one.Addr()); got != "the proxy" {
			t.Errorf("the first listener: %s", got)
		}
		if one.Addr().String() == two.Addr().String() {
			t.Error("both listeners have one address")
		}
		if got := attempt("tcp", "127.0.0.1:3128"); got != "nothing" {
			t.Errorf("an address without a listener: %s", got)
		}
		for _, l := range []net.Listener{one, one} { // closing again does nothing
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
		if got := answer(one.Addr()); got != "nothing" {
			t.Errorf("a closed listener: %s", got)
		}
		if len(j.open) != 1 {
			t.Errorf("%d listeners are kept", len(j.open))
		}
		three, err := j.Listen()
		if err != nil || three.Addr().String() == one.Addr().String() {
			t.Errorf("the address of a closed listener is given again: %v", err)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		if _, err := two.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a listener of a closed jail: %v", err)
		}
		if _, err := j.Listen(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a closed jail: %v", err)
		}
	})
	<-done
}

// When all addresses were given the first free one is given again, and 127.0.0.1 never.
func TestAddressesComeRound(t *testing.T) {
	j := &Jail{last: lastAddress().Prev().Prev(), open: map[netip.Addr]*listener{}}
	first := firstAddress().Next()
	j.open[first] = &listener{}
	for _, want := range []netip.Addr{lastAddress().Prev(), first.Next()} {
		l, err := j.Listen()
		if err != nil || l.Addr().String() != netip.AddrPortFrom(want, port).String() {
			t.Errorf("got %v, %v; want %s", l.Addr(), err, want)
		}
	}
}

// A helper that cannot do its work says why.
func TestHelperSaysWhy(t *testing.T) {
	cmd := exec.Command("/bin/true")
	done := make(chan error, 1)
	OnThread(func() {
		_, err := Start(cmd, User, []string{"/bin/sh", "-c", `exit 1`})
		done <- err
	})
	if err := <-done; err == nil || !strings.Contains(err.Error(), "the helper says nothing") {
		t.Errorf("a helper that ends: %v", err)
	}
	for _, args := range [][]string{nil, {"3"}, {"x", "/bin/true"}, {"1", "/bin/true"}} {
		if err := Enter(args); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}

func TestKinds(t *testing.T) {
	if got := Kinds(nil); !slices.Equal(got, []Kind{Thread}) {
		t.Errorf("root without a helper: %v", got)
	}
	if got := Kinds(helper()); !slices.Equal(got, []Kind{Thread, User}) {
		t.Errorf("root with a helper: %v", got)
	}
}
