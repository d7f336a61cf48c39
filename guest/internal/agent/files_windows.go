package agent

import (
	"os"
	"syscall"
	"unsafe"
)

const (
	noFollow    = 0
	nonBlocking = 0
)

func pathOf(*os.File) string { return "" }

type owners struct{}

func (o *owners) of(os.FileInfo) (string, string) { return "", "" }

func ownAs(*os.File, os.FileInfo) error { return nil }

var (
	kernel32           = syscall.NewLazyDLL("kernel32.dll")
	getDiskFreeSpaceEx = kernel32.NewProc("GetDiskFreeSpaceExW")
)

func freeBytes(folder string) (int64, bool) {
	free, _, _, ok := spaceOf(folder)
	return int64(free), ok
}

func spaceOf(folder string) (available, total, free uint64, ok bool) {
	path, err := syscall.UTF16PtrFromString(folder)
	if err != nil {
		return 0, 0, 0, false
	}
	done, _, _ := getDiskFreeSpaceEx.Call(uintptr(unsafe.Pointer(path)), uintptr(unsafe.Pointer(&available)),
		uintptr(unsafe.Pointer(&total)), uintptr(unsafe.Pointer(&free)))
	return available, total, free, done != 0
}
