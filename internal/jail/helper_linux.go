package jail

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// helperWithin is how long the helper may take until it has made the namespace fit.
const helperWithin = 20 * time.Second

// startByHelper starts the helper in new namespaces. It sends the listener and becomes the command.
func startByHelper(cmd *exec.Cmd, helper []string) (*Jail, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, fmt.Errorf("make a socket for the helper of the network namespace: %w", err)
	}
	defer func() { _ = ours.Close() }()
	enclose(cmd, helper, theirs)
	err = cmd.Start()
	_ = theirs.Close() // the helper has its own
	if err != nil {
		return nil, fmt.Errorf("make a user and network namespace: %w", err)
	}
	inside, err := receive(ours)
	if err != nil {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // its own error is the one to tell
		return nil, fmt.Errorf("make a user and network namespace: %w", err)
	}
	return newJail(inside), nil
}

// enclose has the helper started in place of the command, as the same user in a user namespace that knows no other, and
// with the one capability that it needs there. It becomes the command without any.
func enclose(cmd *exec.Cmd, helper []string, socket *os.File) {
	cmd.ExtraFiles = append(cmd.ExtraFiles, socket)
	fd := 2 + len(cmd.ExtraFiles) // the first is file descriptor 3
	cmd.Args = slices.Concat(helper, []string{strconv.Itoa(fd), cmd.Path}, cmd.Args[1:])
	cmd.Path = helper[0]
	attr := cmd.SysProcAttr
	if attr == nil {
		attr = &syscall.SysProcAttr{}
		cmd.SysProcAttr = attr
	}
	uid, gid := os.Geteuid(), os.Getegid()
	if attr.Credential != nil {
		uid, gid = int(attr.Credential.Uid), int(attr.Credential.Gid)
	}
	attr.Cloneflags |= unix.CLONE_NEWUSER | unix.CLONE_NEWNET
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
	attr.GidMappingsEnableSetgroups = attr.Credential != nil // nobody else may
	attr.AmbientCaps = append(attr.AmbientCaps, unix.CAP_NET_ADMIN)
}

func socketPair() (*net.UnixConn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	near, theirs := os.NewFile(uintptr(fds[0]), "helper"), os.NewFile(uintptr(fds[1]), "service")
	conn, err := net.FileConn(near)
	_ = near.Close() // the connection has a copy
	if err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	ours, is := conn.(*net.UnixConn)
	if !is {
		return nil, nil, errors.Join(fmt.Errorf("a %T", conn), conn.Close(), theirs.Close())
	}
	return ours, theirs, nil
}

// receive takes the listener from the helper, or its error.
func receive(from *net.UnixConn) (net.Listener, error) {
	if err := from.SetReadDeadline(time.Now().Add(helperWithin)); err != nil {
		return nil, err
	}
	text, rights := make([]byte, 4<<10), make([]byte, unix.CmsgSpace(4))
	n, rn, _, _, err := from.ReadMsgUnix(text, rights)
	if err != nil {
		return nil, fmt.Errorf("the helper says nothing: %w", err)
	}
	if n > 1 {
		return nil, fmt.Errorf("the helper says: %s", text[:n])
	}
	messages, err := unix.ParseSocketControlMessage(rights[:rn])
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("the helper sent no listener: %w", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, fmt.Errorf("the helper sent no listener: %w", err)
	}
	file := os.NewFile(uintptr(fds[0]), "listener")
	inside, err := net.FileListener(file)
	_ = file.Close() // the listener has a copy
	if err != nil {
		return nil, fmt.Errorf("use the helper's listener: %w", err)
	}
	return inside, nil
}

// Enter is what the helper does: it makes the namespace that it was started in fit, sends the listener to the service and
// becomes the command, without a capability. args are those that follow the helper's command line: a file descriptor, the
// path of the command and its arguments. It returns only with an error.
func Enter(args []string) error {
	runtime.LockOSThread() // capabilities are a thread's, and exec keeps those of the one that calls it
	if len(args) < 2 {
		return errors.New("the helper of the network namespace is started by the service, with a file descriptor and a command")
	}
	fd, err := strconv.Atoi(args[0])
	if err != nil || fd < 3 {
		return fmt.Errorf("the helper's file descriptor is %q: want a number from 3", args[0])
	}
	unix.CloseOnExec(fd)
	inside, err := furnish()
	if err == nil {
		err = send(fd, inside)
	}
	if err == nil {
		err = dropCapabilities()
	}
	if err != nil {
		_ = unix.Sendmsg(fd, []byte(err.Error()), nil, nil, 0) // to a service that may be gone
		return err
	}
	if err := unix.Exec(args[1], args[1:], os.Environ()); err != nil {
		return fmt.Errorf("become %s: %w", args[1], err)
	}
	return nil
}

func send(fd int, inside *net.TCPListener) error {
	file, err := inside.File()
	if err != nil {
		return fmt.Errorf("take the listener's file: %w", err)
	}
	defer func() { _ = file.Close() }()
	if err := unix.Sendmsg(fd, []byte{0}, unix.UnixRights(int(file.Fd())), nil, 0); err != nil {
		return fmt.Errorf("send the listener: %w", err)
	}
	return nil
}

// dropCapabilities takes every capability from this thread.
func dropCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		return fmt.Errorf("drop capabilities: %w", err)
	}
	return nil
}
