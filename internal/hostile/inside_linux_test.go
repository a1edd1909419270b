package hostile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// runInside runs the tests again in a network namespace that has loopback, a name server that is a canary, and an
// interface whose packets a test reads. Where none can be made it says so, and the tests run where they are: what needs
// the namespace is reported as not run.
func runInside() (code int, ran bool) {
	self, err := os.Executable()
	if err != nil {
		fmt.Println("no network namespace:", err)
		return 0, false
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), asInside+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode(), true
	}
	if err != nil {
		fmt.Println("no network namespace, which only root can make:", err)
		return 0, false
	}
	return 0, true
}

// sniffer is what leaves the namespace: packets to any network, and questions to the name server.
type sniffer struct {
	mu      sync.Mutex
	packets []string
	names   []string
	closers []io.Closer
	work    sync.WaitGroup
}

// openSniffer prepares the namespace. It is nil where there is none.
func openSniffer(dir string) (*sniffer, error) {
	if os.Getenv(asInside) == "" {
		return nil, nil //nolint:nilnil // no namespace is no error
	}
	s := &sniffer{}
	if err := up("lo", ""); err != nil {
		return nil, err
	}
	if err := s.tun(); err != nil {
		return nil, err
	}
	if err := s.nameServer(dir); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// up gives an interface an address and turns it on.
func up(name, address string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	set := func(request uint, fill func(*unix.Ifreq) error) error {
		req, err := unix.NewIfreq(name)
		if err == nil {
			err = fill(req)
		}
		if err == nil {
			err = unix.IoctlIfreq(fd, request, req)
		}
		if err != nil {
			return fmt.Errorf("interface %s: %w", name, err)
		}
		return nil
	}
	if address != "" {
		ip, network, err := net.ParseCIDR(address)
		if err != nil {
			return err
		}
		if err := set(unix.SIOCSIFADDR, func(r *unix.Ifreq) error { return r.SetInet4Addr(ip.To4()) }); err != nil {
			return err
		}
		if err := set(unix.SIOCSIFNETMASK, func(r *unix.Ifreq) error { return r.SetInet4Addr(net.IP(network.Mask)) }); err != nil {
			return err
		}
	}
	return set(unix.SIOCSIFFLAGS, func(r *unix.Ifreq) error {
		r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
		return nil
	})
}

// tun makes an interface that seems to lead to half of the internet, so that WebRTC finds a network, and reads what is
// sent there.
func (s *sniffer) tun() error {
	device, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("an interface to listen on: %w", err)
	}
	req, err := unix.NewIfreq("tun0")
	if err == nil {
		req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(int(device.Fd()), unix.TUNSETIFF, req)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("an interface to listen on: %w", err), device.Close())
	}
	// The kernel's own packets of IPv6 would be taken for the browser's.
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/tun0/disable_ipv6", []byte("1"), 0); err != nil {
		return errors.Join(err, device.Close())
	}
	for name, address := range map[string]string{"tun0": "198.18.0.1/1", "tun0:1": "8.0.0.1/8"} {
		if err := up(name, address); err != nil {
			return errors.Join(err, device.Close())
		}
	}
	fd, err := unix.Dup(int(device.Fd()))
	if err == nil {
		err = errors.Join(unix.SetNonblock(fd, true), device.Close())
	}
	if err != nil {
		return err
	}
	pollable := os.NewFile(uintptr(fd), "tun0") // so that Close ends the reading
	s.closers = append(s.closers, pollable)
	s.work.Go(func() {
		for buffer := make([]byte, 65536); ; {
			n, err := pollable.Read(buffer)
			if err != nil {
				return
			}
			// IGMP is the kernel's word to its router that somebody listens to a group: Chromium listens for mDNS, and says nothing.
			if n >= 20 && buffer[0]>>4 == 4 && buffer[9] != unix.IPPROTO_IGMP {
				s.note(&s.packets, fmt.Sprintf("protocol %d to %s", buffer[9], net.IP(buffer[16:20])))
			}
		}
	})
	return nil
}

// nameServer is the only one that the namespace has.
func (s *sniffer) nameServer(dir string) error {
	path := dir + "/resolv.conf"
	if err := os.WriteFile(path, []byte("nameserver 127.0.0.1\n"), 0o644); err != nil {
		return err
	}
	if err := unix.Mount(path, "/etc/resolv.conf", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("put the canary in the place of the name server: %w", err)
	}
	s.closers = append(s.closers, unmounting("/etc/resolv.conf")) // the next rig has a file of its own
	packets, err := net.ListenPacket("udp", "127.0.0.1:53")
	if err != nil {
		return err
	}
	s.closers = append(s.closers, packets)
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:53")
	if err != nil {
		return err
	}
	s.closers = append(s.closers, listener)
	s.work.Go(func() {
		for buffer := make([]byte, 2048); ; {
			n, from, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			s.note(&s.names, question(buffer[:n]))
			if n > 4 {
				buffer[2], buffer[3] = 0x81, 0x83 // there is no such name
				_, _ = packets.WriteTo(buffer[:n], from)
			}
		}
	})
	s.work.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			s.note(&s.names, "over TCP")
			_ = conn.Close()
		}
	})
	return nil
}

// unmounting is a mount that Close takes away.
type unmounting string

func (u unmounting) Close() error { return unix.Unmount(string(u), unix.MNT_DETACH) }

// question reads the name in a query.
func question(packet []byte) string {
	var labels []string
	for at := 12; at < len(packet) && packet[at] != 0; {
		end := at + 1 + int(packet[at])
		if end > len(packet) {
			break
		}
		labels = append(labels, string(packet[at+1:end]))
		at = end
	}
	return strings.Join(labels, ".")
}

func (s *sniffer) note(list *[]string, what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*list = append(*list, what)
}

// seen are the packets that left, and the names that were asked for.
func (s *sniffer) seen() (packets, names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.packets...), append([]string(nil), s.names...)
}

func (s *sniffer) Close() error {
	var faults []error
	for _, one := range s.closers {
		faults = append(faults, one.Close())
	}
	s.work.Wait()
	return errors.Join(faults...)
}
