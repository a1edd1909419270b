package health

import (
	"errors"
	"syscall"
)

// OfMachine says that err is a fault of the machine when the system had too little of something: memory, open files,
// processes, room or rights for a temporary file. Any other error stays as it is.
func OfMachine(err error) error {
	errno, is := errors.AsType[syscall.Errno](err)
	if !is {
		return err
	}
	switch errno {
	case syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, syscall.EAGAIN, syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EROFS,
		syscall.EFBIG, syscall.ENOBUFS, syscall.EACCES, syscall.EPERM:
		return Of(Machine, err)
	default:
		return err
	}
}
