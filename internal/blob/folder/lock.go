package folder

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lockFile is locked while a process has the folder open. It is no shard, and no key's name.
const lockFile = ".lock"

// errInUse says that another process holds the lock.
var errInUse = errors.New("another savepage uses it")

// folderLock holds a folder for this process. The nil one holds nothing.
type folderLock struct{ file *os.File }

// lock takes the folder for this process. Closing the lock gives it back, and so does the end of the process.
func lock(root *os.Root) (*folderLock, error) {
	file, err := root.OpenFile(lockFile, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return &folderLock{file}, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errInUse
	}
	return nil, errors.Join(err, file.Close())
}

// share takes the folder for this process and others that share it. first reports whether nobody had it.
func share(root *os.Root) (l *folderLock, first bool, err error) {
	if l, err = lock(root); err != nil && !errors.Is(err, errInUse) {
		return nil, false, err
	}
	if first = err == nil; first {
		return l, true, nil
	}
	file, err := root.OpenFile(lockFile, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, fmt.Errorf("lock: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errInUse
		}
		return nil, false, errors.Join(err, file.Close())
	}
	return &folderLock{file}, false, nil
}

// let has others share the folder that this process has alone.
func (l *folderLock) let() error {
	return syscall.Flock(int(l.file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
}

// Close gives the folder back at once: a child process that is just being started may hold the file too.
func (l *folderLock) Close() error {
	if l == nil {
		return nil
	}
	return errors.Join(syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN), l.file.Close())
}
