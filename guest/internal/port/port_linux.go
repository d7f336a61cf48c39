package port

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// Name is what the host calls the channel.
const Name = "org.kvmmanager.agent.0"

// Find gives the port's path. Without udev nothing makes /dev/virtio-ports, so the kernel's own list is read as well.
func Find() string {
	usual := "/dev/virtio-ports/" + Name
	if _, err := os.Stat(usual); err == nil {
		return usual
	}
	names, err := filepath.Glob("/sys/class/virtio-ports/*/name")
	if err != nil {
		return usual
	}
	for _, file := range names {
		if name, err := os.ReadFile(file); err == nil && strings.TrimSpace(string(name)) == Name {
			return "/dev/" + filepath.Base(filepath.Dir(file))
		}
	}
	return usual
}

type device struct {
	fd int
	// wake ends a wait when the port is closed.
	wake [2]int
}

// Open opens a port.
func Open(path string) (Port, error) {
	fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_NONBLOCK|syscall.O_CLOEXEC|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	port := &device{fd: fd}
	if err := syscall.Pipe2(port.wake[:], syscall.O_CLOEXEC); err != nil {
		_ = syscall.Close(fd)
		return nil, err
	}
	return port, nil
}

const (
	pollIn  = 1
	pollOut = 4
	pollHup = 16
)

type pollFd struct {
	fd      int32
	events  int16
	revents int16
}

// wait gives what is ready. A virtio-serial port says HUP while no host is there.
func (d *device) wait(events int16) (int16, error) {
	for {
		fds := [2]pollFd{{int32(d.fd), events, 0}, {int32(d.wake[0]), pollIn, 0}}
		_, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&fds[0])), 2, 0, 0, 0, 0)
		if errno == syscall.EINTR {
			continue
		}
		if errno != 0 {
			return 0, errno
		}
		if fds[1].revents != 0 {
			return 0, io.ErrClosedPipe
		}
		return fds[0].revents, nil
	}
}

func (d *device) Read(into []byte) (int, error) {
	for {
		count, err := syscall.Read(d.fd, into)
		switch {
		case count > 0:
			return count, nil
		case err == nil:
			return 0, ErrNobody
		case err == syscall.EINTR:
			continue
		case err != syscall.EAGAIN:
			return 0, err
		}
		ready, err := d.wait(pollIn)
		if err != nil {
			return 0, err
		}
		if ready&pollIn == 0 && ready&pollHup != 0 {
			return 0, ErrNobody
		}
	}
}

func (d *device) Write(from []byte) (int, error) {
	written := 0
	for written < len(from) {
		count, err := syscall.Write(d.fd, from[written:])
		switch {
		case count > 0:
			written += count
			continue
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EPIPE):
			return written, ErrNobody
		case err != nil && !errors.Is(err, syscall.EAGAIN):
			return written, err
		}
		ready, err := d.wait(pollOut)
		if err != nil {
			return written, err
		}
		if ready&pollHup != 0 {
			return written, ErrNobody
		}
		if ready&pollOut == 0 {
			time.Sleep(10 * time.Millisecond) // neither writable nor gone: the device is being taken out
		}
	}
	return written, nil
}

func (d *device) Close() error {
	_, err := syscall.Write(d.wake[1], []byte{0})
	return err
}
