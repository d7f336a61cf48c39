package port

import (
	"bytes"
	"errors"
	"io"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

const pipe = `\\.\pipe\kvm-manager-agent-test`

// host is the other end: a named pipe, which is opened, read and written as the driver's device is.
func host(t *testing.T) *device {
	t.Helper()
	name, err := syscall.UTF16PtrFromString(pipe)
	if err != nil {
		t.Fatal(err)
	}
	const duplexOverlapped, byteMode = 3 | flagOverlapped, 0
	handle, _, err := kernel32.NewProc("CreateNamedPipeW").Call(uintptr(unsafe.Pointer(name)), duplexOverlapped, byteMode, 1, 65536, 65536, 0, 0)
	if syscall.Handle(handle) == syscall.InvalidHandle {
		t.Fatal(err)
	}
	end := &device{handle: syscall.Handle(handle)}
	for _, overlapped := range []*syscall.Overlapped{&end.reading, &end.writing} {
		event, _, err := createEvent.Call(0, 1, 0, 0)
		if event == 0 {
			t.Fatal(err)
		}
		overlapped.HEvent = syscall.Handle(event)
	}
	return end
}

func TestPortReadsWhileItWrites(t *testing.T) {
	theirs := host(t)
	ours, err := Open(pipe)
	if err != nil {
		t.Fatal(err)
	}
	// Whoever reads waits, and must not keep others from writing
	sent := bytes.Repeat([]byte("0123456789abcdef"), 64*1024)
	got := make(chan []byte, 1)
	go func() {
		all := []byte{}
		piece := make([]byte, 256*1024)
		for len(all) < len(sent) {
			count, err := ours.Read(piece)
			if err != nil {
				break
			}
			all = append(all, piece[:count]...)
		}
		got <- all
	}()
	time.Sleep(100 * time.Millisecond)
	answered := make(chan []byte, 1)
	go func() {
		all := make([]byte, 6)
		_, _ = io.ReadFull(theirs, all)
		answered <- all
	}()
	if count, err := ours.Write([]byte("answer")); count != 6 || err != nil {
		t.Fatal(count, err)
	}
	if text := <-answered; string(text) != "answer" {
		t.Fatalf("%q", text)
	}
	if count, err := theirs.Write(sent); count != len(sent) || err != nil {
		t.Fatal(count, err)
	}
	if all := <-got; !bytes.Equal(all, sent) {
		t.Fatalf("%d bytes of %d", len(all), len(sent))
	}
	// After the host has left, no peer is there
	if err := theirs.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ours.Read(make([]byte, 1)); !errors.Is(err, ErrNobody) {
		t.Fatal(err)
	}
	if err := ours.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenSaysWhatIsNotThere(t *testing.T) {
	if _, err := Open(`\\.\pipe\kvm-manager-agent-none`); err == nil {
		t.Fatal("it was opened")
	}
}
