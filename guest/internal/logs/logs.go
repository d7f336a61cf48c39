// Package logs writes what the agent was asked for. It never waits for the disk: while file systems are frozen, or one
// hangs, lines are kept in memory, and the oldest are kept rather than the newest.
package logs

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

const (
	waiting     = 512
	maxLine     = 4096
	defaultSize = 1 << 20
)

// Log takes lines from anywhere.
type Log struct {
	lines   chan string
	dropped atomic.Int64
	paused  atomic.Bool
	done    chan struct{}
}

// New writes to a file, which is renamed to *.1 beyond `size` bytes, or to standard error when there is no path.
func New(path string, size int64) *Log {
	if size <= 0 {
		size = defaultSize
	}
	log := &Log{lines: make(chan string, waiting), done: make(chan struct{})}
	var out io.Writer = os.Stderr
	if path != "" {
		out = &rotated{path: path, limit: size}
	}
	go log.write(out)
	return log
}

// Printf adds a line. What is in it cannot begin another: control characters are replaced.
func (l *Log) Printf(format string, values ...any) {
	text := strings.Map(printable, fmt.Sprintf(format, values...))
	if len(text) > maxLine {
		text = text[:maxLine] + "…"
	}
	select {
	case l.lines <- time.Now().UTC().Format(time.RFC3339) + " " + text + "\n":
	default:
		l.dropped.Add(1)
	}
}

// printable replaces what a terminal would obey.
func printable(letter rune) rune {
	if letter < ' ' || (letter >= 0x7f && letter < 0xa0) || letter == 0x2028 || letter == 0x2029 {
		return '\uFFFD'
	}
	return letter
}

// Pause keeps lines in memory until it is called with false: a frozen file system would keep who writes to it.
func (l *Log) Pause(paused bool) { l.paused.Store(paused) }

// Close writes what is left, within a second.
func (l *Log) Close() {
	close(l.lines)
	select {
	case <-l.done:
	case <-time.After(time.Second):
	}
}

func (l *Log) write(out io.Writer) {
	defer close(l.done)
	for line := range l.lines {
		for l.paused.Load() {
			time.Sleep(50 * time.Millisecond)
		}
		if dropped := l.dropped.Swap(0); dropped > 0 {
			line += fmt.Sprintf("%d lines were dropped\n", dropped)
		}
		_, _ = io.WriteString(out, line) // there is nowhere to say that the log cannot be written
	}
}

// rotated is a file that is begun again when it is large.
type rotated struct {
	path  string
	limit int64
	size  int64
	file  *os.File
}

func (r *rotated) Write(text []byte) (int, error) {
	if r.file != nil && r.size+int64(len(text)) > r.limit {
		_ = r.file.Close()
		r.file = nil
		if err := os.Rename(r.path, r.path+".1"); err != nil {
			_ = os.Remove(r.path)
		}
	}
	if r.file == nil {
		_ = os.MkdirAll(filepath.Dir(r.path), 0o755)
		file, err := os.OpenFile(r.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o640)
		if err != nil {
			return 0, err
		}
		r.file, r.size = file, 0
		if info, err := file.Stat(); err == nil {
			r.size = info.Size()
		}
	}
	count, err := r.file.Write(text)
	r.size += int64(count)
	return count, err
}
