// Package service is Windows' service control, by its own calls: golang.org/x is not the standard library.
package service

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

var (
	advapi32            = syscall.NewLazyDLL("advapi32.dll")
	startDispatcher     = advapi32.NewProc("StartServiceCtrlDispatcherW")
	registerCtrlHandler = advapi32.NewProc("RegisterServiceCtrlHandlerExW")
	setServiceStatus    = advapi32.NewProc("SetServiceStatus")
)

const (
	ownProcess = 0x10

	stopped     = 1
	stopPending = 3
	running     = 4

	acceptStop     = 1
	acceptShutdown = 4

	controlStop        = 1
	controlInterrogate = 4
	controlShutdown    = 5

	errorCallNotImplemented = 120
	errorSpecific           = 1066
)

// status is SERVICE_STATUS.
type status struct {
	kind, state, accepts, exitCode, specificCode, checkPoint, waitHint uint32
}

// tableEntry is SERVICE_TABLE_ENTRYW.
type tableEntry struct {
	name *uint16
	main uintptr
}

type service struct {
	name   *uint16
	work   func() error
	handle uintptr
	stop   chan struct{}
	state  uint32
}

// Run does the work as the service of this name, until Windows ends it.
func Run(name string, work func() error) error {
	wide, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	s := &service{name: wide, work: work, stop: make(chan struct{}, 1)}
	table := [2]tableEntry{{wide, syscall.NewCallback(s.main)}, {}}
	runtime.LockOSThread()
	ok, _, failure := startDispatcher.Call(uintptr(unsafe.Pointer(&table[0])))
	runtime.KeepAlive(table)
	if ok == 0 {
		return &os.SyscallError{Syscall: "StartServiceCtrlDispatcher (start it with: sc start " + name + ")", Err: failure}
	}
	return nil
}

func (s *service) tell(state, exitCode uint32) {
	s.state = state
	next := status{kind: ownProcess, state: state, accepts: acceptStop | acceptShutdown}
	if state == stopped || state == stopPending {
		next.accepts, next.waitHint = 0, 3000
	}
	if exitCode != 0 {
		next.exitCode, next.specificCode = errorSpecific, exitCode
	}
	_, _, _ = setServiceStatus.Call(s.handle, uintptr(unsafe.Pointer(&next)))
}

func (s *service) main(uint32, uintptr) uintptr {
	s.handle, _, _ = registerCtrlHandler.Call(uintptr(unsafe.Pointer(s.name)), syscall.NewCallback(s.control), 0)
	if s.handle == 0 {
		return 0
	}
	s.tell(running, 0)
	failed := make(chan error, 1)
	go func() { failed <- s.work() }()
	select {
	case err := <-failed:
		code := uint32(0)
		if err != nil {
			code = 1
		}
		s.tell(stopped, code)
	case <-s.stop:
		s.tell(stopped, 0)
	}
	return 0
}

func (s *service) control(control, _ uint32, _, _ uintptr) uintptr {
	switch control {
	case controlStop, controlShutdown:
		s.tell(stopPending, 0)
		select {
		case s.stop <- struct{}{}:
		default:
		}
		return 0
	case controlInterrogate:
		s.tell(s.state, 0)
		return 0
	}
	return errorCallNotImplemented
}
