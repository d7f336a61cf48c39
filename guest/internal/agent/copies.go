package agent

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"kvmmanager.org/guest/internal/wire"
)

// partialSuffix names what is not whole. Nothing else of ours ends so: who finds one may remove it.
const partialSuffix = ".kvmm-partial"

// pending is a file that is being written next to its final place.
type pending struct {
	file  *os.File
	final string
	mode  os.FileMode
	like  os.FileInfo
}

// beginFile begins to write a file. It appears at its place when it is whole, and not before.
func (a *Agent) beginFile(path string, mode *uint32, overwrite bool) (*pending, error) {
	real, err := a.place(path)
	if err != nil {
		return nil, err
	}
	next := &pending{final: real, mode: 0o644}
	if info, err := os.Lstat(real); err == nil {
		if !info.Mode().IsRegular() {
			return nil, wire.Fail(wire.Failed, real+" is there, and is not a regular file")
		}
		if !overwrite {
			return nil, wire.Fail(wire.Failed, real+" is there already")
		}
		next.mode, next.like = info.Mode(), info
	}
	if mode != nil {
		next.mode = fileModeOf(*mode)
	}
	var random [6]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, err
	}
	base := filepath.Base(real)
	if len(base) > 200 {
		base = base[:200] // a name has at most 255 bytes
	}
	partial := filepath.Join(filepath.Dir(real), "."+base+"."+hex.EncodeToString(random[:])+partialSuffix)
	if !a.rules.AllowsPath(partial) {
		return nil, wire.Fail(wire.Denied, "the agent's configuration does not allow files next to "+real)
	}
	next.file, err = os.OpenFile(partial, os.O_RDWR|os.O_CREATE|os.O_EXCL|noFollow, 0o600)
	if err != nil {
		return nil, err
	}
	if err := a.stillAllowed(next.file); err != nil {
		next.discard()
		return nil, err
	}
	return next, nil
}

// commit puts a file at its place.
func (p *pending) commit() error {
	if p.like != nil {
		if err := ownAs(p.file, p.like); err != nil {
			return err
		}
	}
	if err := p.file.Chmod(p.mode); err != nil && !unsupportedChmod(err) {
		return err
	}
	if err := p.file.Sync(); err != nil {
		return err
	}
	if err := p.file.Close(); err != nil {
		return err
	}
	return os.Rename(p.file.Name(), p.final)
}

func (p *pending) discard() {
	_ = p.file.Close()
	_ = os.Remove(p.file.Name())
}

// copies are the files a host has open.
type copies struct {
	mu     sync.Mutex
	next   int64
	open   map[int64]*handle
	closed bool
}

const (
	maxHandles = 16
	// maxWaiting is how many chunks a file may have waiting: a host that sends more is told that it is busy.
	maxWaiting = 8
)

// handle is an open file. Its jobs are done one after another, so that a host need not wait for one to send the next.
type handle struct {
	id     int64
	file   *os.File
	write  *pending
	at     int64
	hash   hash.Hash
	buffer []byte
	line   []byte
	// broken is why a file that was to be written is of no use any more.
	broken *wire.Error
	jobs   chan func()
}

// Opened is what file_open gives.
type Opened struct {
	Handle     int64  `json:"handle"`
	Path       string `json:"path"`
	Size       int64  `json:"size"`
	Mode       uint32 `json:"mode"`
	ModifiedMs int64  `json:"modified_ms"`
}

func fileOpen(c *call) (any, error) {
	asked, err := params[struct {
		Path      string  `json:"path"`
		Write     bool    `json:"write"`
		Overwrite *bool   `json:"overwrite"`
		Mode      *uint32 `json:"mode"`
		Size      int64   `json:"size"`
	}](c)
	if err != nil {
		return nil, err
	}
	a := c.session.agent
	h := &handle{hash: sha256.New(), jobs: make(chan func(), maxWaiting+1)}
	opened := Opened{Path: asked.Path}
	if asked.Write {
		if a.rules.ReadOnly {
			return nil, wire.Fail(wire.Denied, "the agent's configuration is read-only")
		}
		h.write, err = a.beginFile(asked.Path, asked.Mode, asked.Overwrite == nil || *asked.Overwrite)
		if err != nil {
			return nil, err
		}
		h.file = h.write.file
		opened.Path, opened.Mode = h.write.final, modeOf(h.write.mode)
		if free, known := freeBytes(filepath.Dir(h.write.final)); known && asked.Size > free {
			h.write.discard()
			return nil, wire.Fail(wire.TooLarge, "the file system has less room than the file needs")
		}
	} else {
		file, info, err := a.openRegular(asked.Path)
		if err != nil {
			return nil, err
		}
		h.file = file
		opened.Size, opened.Mode, opened.ModifiedMs = info.Size(), modeOf(info.Mode()), info.ModTime().UnixMilli()
	}
	if failure := c.work.copies.add(h); failure != nil {
		h.drop()
		return nil, failure
	}
	opened.Handle = h.id
	return opened, nil
}

func (c *copies) add(h *handle) *wire.Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return wire.Fail(wire.Cancelled, "the host has gone")
	}
	if len(c.open) >= maxHandles {
		return wire.Fail(wire.Busy, "16 files are open")
	}
	if c.open == nil {
		c.open = map[int64]*handle{}
	}
	c.next++
	h.id = c.next
	c.open[h.id] = h
	go func() {
		for job := range h.jobs {
			job()
		}
		h.drop()
	}()
	return nil
}

// queue gives a file something to do. `last` closes it.
func (c *copies) queue(id int64, last bool, job func(*handle)) *wire.Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.open[id]
	if h == nil {
		return wire.Fail(wire.NotFound, "no file is open with this handle")
	}
	// There is a place more than chunks may wait in, so that a file can always be closed
	if !last && len(h.jobs) >= maxWaiting {
		return wire.Fail(wire.Busy, "8 chunks of this file are under way")
	}
	h.jobs <- func() { job(h) }
	if last {
		delete(c.open, id)
		close(h.jobs)
	}
	return nil
}

// abandon closes all files; what was not whole is removed.
func (c *copies) abandon() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for id, h := range c.open {
		delete(c.open, id)
		close(h.jobs)
	}
}

// drop closes a file, and removes what is not whole.
func (h *handle) drop() {
	if h.write != nil {
		h.write.discard()
		return
	}
	if h.file != nil {
		_ = h.file.Close()
	}
}

func chunkWrite(s *session, request wire.Request) *wire.Error {
	if s.decoded == nil {
		s.decoded = make([]byte, wire.MaxChunk+4)
	}
	chunk, failure := wire.ParseChunk(request.Params, s.decoded)
	if failure != nil {
		return failure
	}
	id := append([]byte(nil), request.ID...)
	data := buffers.take(len(chunk.Data))
	copy(data, chunk.Data)
	return s.work.copies.queue(chunk.Handle, false, func(h *handle) {
		defer buffers.give(data)
		if failure := h.put(chunk.Offset, data); failure != nil {
			s.fail(id, failure)
			return
		}
		s.answer(id, struct {
			Offset int64 `json:"offset"`
		}{h.at})
	})
}

// put writes the next chunk. Chunks come in order: the checksum is that of the whole file.
func (h *handle) put(offset int64, data []byte) *wire.Error {
	switch {
	case h.write == nil:
		return wire.Fail(wire.InvalidParams, "the file is open for reading")
	case h.broken != nil:
		return h.broken
	case offset != h.at:
		return wire.Fail(wire.InvalidParams, "chunks must follow one another")
	}
	if _, err := h.file.Write(data); err != nil {
		h.broken = wire.Fail(wire.Failed, err.Error())
		return h.broken
	}
	_, _ = h.hash.Write(data) // never fails
	h.at += int64(len(data))
	return nil
}

func chunkRead(s *session, request wire.Request) *wire.Error {
	var asked struct {
		Handle int64 `json:"handle"`
		Length int64 `json:"length"`
	}
	if err := json.Unmarshal(request.Params, &asked); err != nil || asked.Length < 0 || asked.Length > wire.MaxChunk {
		return wire.Fail(wire.InvalidParams, "chunk_read takes handle and length, which is at most 262144")
	}
	if asked.Length == 0 {
		asked.Length = wire.MaxChunk
	}
	id := append([]byte(nil), request.ID...)
	return s.work.copies.queue(asked.Handle, false, func(h *handle) {
		if h.write != nil {
			s.fail(id, wire.Fail(wire.InvalidParams, "the file is open for writing"))
			return
		}
		if cap(h.buffer) < int(asked.Length) {
			h.buffer = make([]byte, asked.Length)
		}
		count, err := io.ReadFull(h.file, h.buffer[:asked.Length])
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			s.fail(id, wire.Fail(wire.Failed, err.Error()))
			return
		}
		data := h.buffer[:count]
		_, _ = h.hash.Write(data) // never fails
		h.line = wire.AnswerChunk(h.line, id, h.at, data, err != nil)
		h.at += int64(count)
		_ = s.send(h.line) // a host that is gone is noticed by who reads
	})
}

// Closed is what file_close gives.
type Closed struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	Sha256 string `json:"sha256"`
}

func fileClose(s *session, request wire.Request) *wire.Error {
	var asked struct {
		Handle int64  `json:"handle"`
		Sha256 string `json:"sha256"`
		Abort  bool   `json:"abort"`
	}
	if err := json.Unmarshal(request.Params, &asked); err != nil {
		return wire.Fail(wire.InvalidParams, "file_close takes handle, sha256 and abort")
	}
	id := append([]byte(nil), request.ID...)
	return s.work.copies.queue(asked.Handle, true, func(h *handle) {
		closed, err := h.close(asked.Sha256, asked.Abort)
		if err != nil {
			s.fail(id, failureOf(err))
			return
		}
		s.agent.log.Printf("closed %q: %d bytes, sha256 %s", closed.Path, closed.Size, closed.Sha256)
		s.answer(id, closed)
	})
}

func (h *handle) close(expected string, abort bool) (Closed, error) {
	sum := hex.EncodeToString(h.hash.Sum(nil))
	closed := Closed{h.file.Name(), h.at, sum}
	if h.write == nil {
		return closed, nil
	}
	closed.Path = h.write.final
	if abort {
		return closed, nil // drop() removes it
	}
	if h.broken != nil {
		return closed, h.broken
	}
	if expected != "" && !strings.EqualFold(expected, sum) {
		return closed, wire.Fail(wire.ChecksumMismatch, "what arrived has another checksum: "+sum)
	}
	if err := h.write.commit(); err != nil {
		return closed, err
	}
	h.write, h.file = nil, nil
	return closed, nil
}

// pool keeps the memory of chunks, so that a large copy is not the collector's work.
type pool struct{ free chan []byte }

var buffers = pool{make(chan []byte, 4)}

func (p pool) take(size int) []byte {
	select {
	case buffer := <-p.free:
		if cap(buffer) >= size {
			return buffer[:size]
		}
	default:
	}
	return make([]byte, size, wire.MaxChunk)
}

func (p pool) give(buffer []byte) {
	select {
	case p.free <- buffer:
	default:
	}
}

// unsupportedChmod: file systems without permissions (FAT) refuse to change them.
func unsupportedChmod(err error) bool { return errors.Is(err, os.ErrPermission) && os.Getuid() == 0 }
