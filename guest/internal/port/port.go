// Package port is the line to the host: a virtio-serial port, a COM port, or the two ends of a pipe.
package port

import (
	"errors"
	"io"
	"os"
)

// ErrNobody says that no program is at the host's end: it may come, or come back.
var ErrNobody = errors.New("nobody is at the host's end")

// Port is open for as long as its device is there; hosts come and go meanwhile.
type Port interface {
	// Read gives ErrNobody while no host is there, and another error once the device is gone.
	Read(into []byte) (int, error)
	// Write waits until the host takes it all, and gives ErrNobody when the host goes away meanwhile.
	Write(from []byte) (int, error)
	Close() error
}

type stdio struct{}

// Stdio is standard input and output: for tests, and where another program brings the line.
func Stdio() Port { return stdio{} }

func (stdio) Read(into []byte) (int, error) {
	count, err := os.Stdin.Read(into)
	if count == 0 && err == nil {
		return 0, io.EOF
	}
	return count, err
}
func (stdio) Write(from []byte) (int, error) { return os.Stdout.Write(from) }
func (stdio) Close() error                   { return os.Stdin.Close() }
