package wire

import (
	"bytes"
	"io"
)

// Lines reads lines of bounded length. A longer one costs no memory: it is read over, and told as too long.
type Lines struct {
	from  io.Reader
	buf   []byte
	start int
	end   int
	// skipping says that the rest of a line that is too long is still to come.
	skipping bool
}

const firstBuffer = 16 * 1024

// NewLines reads from a stream.
func NewLines(from io.Reader) *Lines {
	return &Lines{from: from, buf: make([]byte, firstBuffer)}
}

// Next gives the next line without its end, good until the next call; tooLong when there was one that is not given.
func (l *Lines) Next() (line []byte, tooLong bool, err error) {
	searched := l.start
	for {
		if at := bytes.IndexByte(l.buf[searched:l.end], '\n'); at >= 0 {
			line = l.buf[l.start : searched+at]
			l.start = searched + at + 1
			if l.skipping {
				l.skipping = false
				return nil, true, nil
			}
			if len(line) > MaxLine {
				return nil, true, nil
			}
			return bytes.TrimSuffix(line, []byte{'\r'}), false, nil
		}
		searched = l.end
		if l.skipping || l.end-l.start > MaxLine {
			l.skipping, l.start, l.end, searched = true, 0, 0, 0
		}
		if l.end == len(l.buf) {
			searched -= l.start
			l.makeRoom()
		}
		count, err := l.from.Read(l.buf[l.end:])
		l.end += count
		if err != nil && count == 0 {
			return nil, false, err
		}
	}
}

// makeRoom moves what is left to the front, and doubles the buffer when that is no room.
func (l *Lines) makeRoom() {
	into := l.buf
	if l.start == 0 {
		size := 2 * len(l.buf)
		if size > MaxLine+firstBuffer {
			size = MaxLine + firstBuffer
		}
		into = make([]byte, size)
	}
	l.end = copy(into, l.buf[l.start:l.end])
	l.start, l.buf = 0, into
}

// Shrink gives back a large buffer once nothing is in it, after a line that did not need it: what a copy sends line by line
// finds it there.
func (l *Lines) Shrink(lastLine int) {
	if lastLine < firstBuffer && l.start == l.end && len(l.buf) > firstBuffer {
		l.buf, l.start, l.end = make([]byte, firstBuffer), 0, 0
	}
}
