package port

import (
	"os"
	"strings"
	"sync"
	"syscall"
	"unsafe"
)

// Name is what the host calls the channel.
const Name = "org.kvmmanager.agent.0"

var (
	kernel32            = syscall.NewLazyDLL("kernel32.dll")
	createEvent         = kernel32.NewProc("CreateEventW")
	getOverlappedResult = kernel32.NewProc("GetOverlappedResult")
	setCommTimeouts     = kernel32.NewProc("SetCommTimeouts")
)

const (
	errorIOPending       = syscall.Errno(997)
	errorBrokenPipe      = syscall.Errno(109)
	errorNotReady        = syscall.Errno(21)
	errorNoData          = syscall.Errno(232)
	errorPipeNotConn     = syscall.Errno(233)
	flagOverlapped       = 0x40000000
	immediately          = 0xFFFFFFFF
	longestWaitForAByte  = 0x7FFFFFFE
	maxOverlappedRequest = 64 * 1024
)

// Find gives the port as Red Hat's virtio-serial driver names it.
func Find() string { return `\\.\Global\` + Name }

// device reads and writes at the same time, which Windows does only with overlapped requests.
type device struct {
	handle  syscall.Handle
	reading syscall.Overlapped
	writing syscall.Overlapped
	writes  sync.Mutex
}

// Open opens a port: a device's path, or COM1 to COM256.
func Open(path string) (Port, error) {
	isCom := strings.HasPrefix(strings.ToUpper(path), "COM")
	if isCom {
		path = `\\.\` + path
	}
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_EXISTING, flagOverlapped, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	port := &device{handle: handle}
	if isCom {
		// A read gives what is there, and waits for the first byte
		timeouts := [5]uint32{immediately, immediately, longestWaitForAByte, 0, 0}
		if ok, _, err := setCommTimeouts.Call(uintptr(handle), uintptr(unsafe.Pointer(&timeouts[0]))); ok == 0 {
			_ = syscall.CloseHandle(handle)
			return nil, err
		}
	}
	for _, overlapped := range []*syscall.Overlapped{&port.reading, &port.writing} {
		event, _, err := createEvent.Call(0, 1, 0, 0)
		if event == 0 {
			_ = syscall.CloseHandle(handle)
			return nil, err
		}
		overlapped.HEvent = syscall.Handle(event)
	}
	return port, nil
}

// finish waits for a request that Windows may have taken for later.
func (d *device) finish(overlapped *syscall.Overlapped, err error) (int, error) {
	if err != nil && err != errorIOPending {
		return 0, asGone(err)
	}
	var count uint32
	ok, _, err := getOverlappedResult.Call(uintptr(d.handle), uintptr(unsafe.Pointer(overlapped)), uintptr(unsafe.Pointer(&count)), 1)
	if ok == 0 {
		return int(count), asGone(err)
	}
	return int(count), nil
}

// asGone tells a host that left from a device that did.
func asGone(err error) error {
	switch err {
	case errorBrokenPipe, errorNotReady, errorNoData, errorPipeNotConn:
		return ErrNobody
	}
	return err
}

func (d *device) Read(into []byte) (int, error) {
	if len(into) > maxOverlappedRequest {
		into = into[:maxOverlappedRequest]
	}
	count, err := d.finish(&d.reading, syscall.ReadFile(d.handle, into, nil, &d.reading))
	if count == 0 && err == nil {
		return 0, ErrNobody
	}
	return count, err
}

func (d *device) Write(from []byte) (int, error) {
	d.writes.Lock()
	defer d.writes.Unlock()
	written := 0
	for written < len(from) {
		part := from[written:]
		if len(part) > maxOverlappedRequest {
			part = part[:maxOverlappedRequest]
		}
		count, err := d.finish(&d.writing, syscall.WriteFile(d.handle, part, nil, &d.writing))
		written += count
		if err != nil {
			return written, err
		}
		if count == 0 {
			return written, ErrNobody
		}
	}
	return written, nil
}

func (d *device) Close() error {
	_ = syscall.CancelIoEx(d.handle, nil)
	return syscall.CloseHandle(d.handle)
}
