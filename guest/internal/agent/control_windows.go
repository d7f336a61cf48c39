package agent

import (
	"context"
	"errors"
	"io"
	"syscall"
	"time"
	"unsafe"

	"kvmmanager.org/guest/internal/wire"
)

var (
	netapi32       = syscall.NewLazyDLL("netapi32.dll")
	netUserSetInfo = netapi32.NewProc("NetUserSetInfo")
	setSystemTime  = kernel32.NewProc("SetSystemTime")
)

func beginPower(ctx context.Context, again, force bool) error {
	args := []string{"/s", "/t", "0"}
	if again {
		args[0] = "/r"
	}
	if force {
		args = append(args, "/f")
	}
	_, err := output(ctx, "shutdown.exe", args...)
	return err
}

func changeTime(to time.Time) error {
	to = to.UTC()
	system := [8]uint16{
		uint16(to.Year()), uint16(to.Month()), uint16(to.Weekday()), uint16(to.Day()),
		uint16(to.Hour()), uint16(to.Minute()), uint16(to.Second()), uint16(to.Nanosecond() / 1_000_000),
	}
	if ok, _, err := setSystemTime.Call(uintptr(unsafe.Pointer(&system[0]))); ok == 0 {
		return err
	}
	return nil
}

func changePassword(_ context.Context, name, password string, hashed bool) error {
	if hashed {
		return wire.Fail(wire.Unsupported, "Windows takes no hashed password")
	}
	account, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	secret, err := syscall.UTF16PtrFromString(password)
	if err != nil {
		return err
	}
	const passwordLevel, unknownUser = 1003, 2221
	info := struct{ password *uint16 }{secret}
	code, _, _ := netUserSetInfo.Call(0, uintptr(unsafe.Pointer(account)), passwordLevel, uintptr(unsafe.Pointer(&info)), 0)
	switch code {
	case 0:
		return nil
	case unknownUser:
		return wire.Fail(wire.NotFound, "the guest has no user "+name)
	}
	return wire.Fail(wire.Failed, "Windows refuses the password: "+syscall.Errno(code).Error())
}

func changeKeys(context.Context, string, string, []string) (any, error) {
	return nil, wire.Fail(wire.Unsupported, "on Windows SSH keys are not changed")
}

// ChangeKeysHere is for Linux.
func ChangeKeysHere(string, io.Reader, io.Writer) error { return errors.New("not on Windows") }

var errCannotFreeze = errors.New("this file system cannot be frozen")

func freezable([]string) ([]string, error) {
	return nil, wire.Fail(wire.Unsupported, "on Windows file systems are frozen by qemu-guest-agent, through VSS")
}

func setFrozen(string, bool) error { return errCannotFreeze }

func remember([]string) error { return nil }

func forget() {}

func (f *freezer) thawLeftovers() {}
