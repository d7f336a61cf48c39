package agent

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kvmmanager.org/guest/internal/wire"
)

// ExecParams is what a command is run with.
type ExecParams struct {
	Command string            `json:"command"`
	Args    []string          `json:"args"`
	Env     map[string]string `json:"env"`
	Cwd     string            `json:"cwd"`
	User    string            `json:"user"`
	// Stdin is given first; with KeepInput more comes by exec_input.
	Stdin     []byte `json:"stdin"`
	KeepInput bool   `json:"keep_input"`
	TimeoutMs int64  `json:"timeout_ms"`
	MaxOutput int64  `json:"max_output"`
	Stream    bool   `json:"stream"`
	Detach    bool   `json:"detach"`
}

// ExecResult is how a command ended.
type ExecResult struct {
	ExitCode        int    `json:"exit_code"`
	Signal          string `json:"signal"`
	Stdout          []byte `json:"stdout"`
	Stderr          []byte `json:"stderr"`
	StdoutTruncated bool   `json:"stdout_truncated"`
	StderrTruncated bool   `json:"stderr_truncated"`
	TimedOut        bool   `json:"timed_out"`
	DurationMs      int64  `json:"duration_ms"`
	Pid             int    `json:"pid"`
}

// ExecOutput is what a streamed command wrote.
type ExecOutput struct {
	ID     json.RawMessage `json:"id"`
	Stream string          `json:"stream"`
	Data   []byte          `json:"data"`
}

const (
	defaultTimeout = 60 * time.Second
	longestTimeout = 24 * time.Hour
	// maxHeld is how much of each stream is held for an answer; streamed output is not held.
	maxHeld        = 128 * 1024
	outputPiece    = 32 * 1024
	maxArgs        = 4096
	defaultPath    = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	outputAfterEnd = 500 * time.Millisecond
)

func execCommand(c *call) (any, error) {
	asked, err := params[ExecParams](c)
	if err != nil {
		return nil, err
	}
	command, err := c.session.agent.prepare(&asked)
	if err != nil {
		return nil, err
	}
	if asked.Detach {
		return startDetached(command)
	}
	return runCommand(c, &asked, command)
}

// prepare judges a command and finds its program.
func (a *Agent) prepare(asked *ExecParams) (*exec.Cmd, error) {
	if asked.Command == "" || len(asked.Args) > maxArgs {
		return nil, wire.Fail(wire.InvalidParams, "command is missing, or there are too many arguments")
	}
	if asked.TimeoutMs < 0 || asked.MaxOutput < 0 || len(asked.Stdin) > wire.MaxChunk {
		return nil, wire.Fail(wire.InvalidParams, "timeout_ms and max_output are not negative; stdin has at most 262144 bytes")
	}
	if os.Getenv("PATH") == "" {
		_ = os.Setenv("PATH", defaultPath)
	}
	path, err := exec.LookPath(asked.Command)
	if err != nil {
		return nil, wire.Fail(wire.NotFound, "there is no such program: "+asked.Command)
	}
	if !a.rules.AllowsCommand(path) {
		return nil, wire.Fail(wire.Denied, "the agent's configuration does not allow "+path)
	}
	if a.rules.User != "" && asked.User != "" && asked.User != a.rules.User {
		return nil, wire.Fail(wire.Denied, "the agent's configuration has commands run as "+a.rules.User)
	}
	if a.rules.User != "" {
		asked.User = a.rules.User
	}
	command := exec.Command(path, asked.Args...)
	command.Dir = asked.Cwd
	command.Env = os.Environ()
	if err := runAs(command, asked.User); err != nil {
		return nil, err
	}
	for name, value := range asked.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return nil, wire.Fail(wire.InvalidParams, "a variable's name is not valid")
		}
		command.Env = append(command.Env, name+"="+value)
	}
	return command, nil
}

func startDetached(command *exec.Cmd) (any, error) {
	if err := command.Start(); err != nil {
		return nil, err
	}
	go func() { _ = command.Wait() }() // so that it leaves no zombie; how it ended is not asked
	return ExecResult{ExitCode: 0, Stdout: []byte{}, Stderr: []byte{}, Pid: command.Process.Pid}, nil
}

func runCommand(c *call, asked *ExecParams, command *exec.Cmd) (any, error) {
	limit := time.Duration(asked.TimeoutMs) * time.Millisecond
	if limit == 0 {
		limit = defaultTimeout
	}
	if limit > longestTimeout {
		limit = longestTimeout
	}
	sinks, closeOurs, err := c.connectOutputs(asked, command)
	if err != nil {
		return nil, err
	}
	stdin, err := connectInput(asked, command)
	if err != nil {
		closeOurs()
		return nil, err
	}
	began := time.Now()
	err = command.Start()
	closeOurs() // the program has its own by now
	stdin.started()
	if err != nil {
		stdin.abandon()
		for _, sink := range sinks {
			_ = sink.from.Close()
		}
		return nil, err
	}
	result := ExecResult{Pid: command.Process.Pid}
	go stdin.feed(c, asked)
	for _, sink := range sinks {
		go sink.drain()
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	cancelled := false
	select {
	case err = <-ended:
	case <-timer.C:
		result.TimedOut = true
		killTree(command)
		err = <-ended
	case <-c.ctx.Done():
		cancelled = true
		killTree(command)
		err = <-ended
	}
	stdin.abandon()
	result.DurationMs = time.Since(began).Milliseconds()
	for _, sink := range sinks {
		sink.finish()
	}
	if cancelled {
		return nil, wire.Fail(wire.Cancelled, "cancelled: the command was ended")
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	result.ExitCode, result.Signal = howItEnded(command.ProcessState)
	result.Stdout, result.StdoutTruncated = sinks[0].result()
	result.Stderr, result.StderrTruncated = sinks[1].result()
	return result, nil
}

// sink takes one stream of a program's output.
type sink struct {
	call   *call
	name   string
	stream bool
	limit  int64
	from   *os.File
	done   chan struct{}
	// seen counts what was read; busy while it is passed on.
	seen atomic.Int64
	busy atomic.Bool

	mu        sync.Mutex
	held      []byte
	taken     int64
	truncated bool
}

func (c *call) connectOutputs(asked *ExecParams, command *exec.Cmd) (sinks []*sink, closeOurs func(), err error) {
	limit := asked.MaxOutput
	if !asked.Stream && (limit == 0 || limit > maxHeld) {
		limit = maxHeld
	}
	ours := []*os.File{}
	closeOurs = func() {
		for _, file := range ours {
			_ = file.Close()
		}
	}
	for _, name := range []string{"stdout", "stderr"} {
		from, to, err := os.Pipe()
		if err != nil {
			closeOurs()
			for _, sink := range sinks {
				_ = sink.from.Close()
			}
			return nil, nil, err
		}
		ours = append(ours, to)
		if name == "stdout" {
			command.Stdout = to
		} else {
			command.Stderr = to
		}
		sinks = append(sinks, &sink{call: c, name: name, stream: asked.Stream, limit: limit, from: from, done: make(chan struct{})})
	}
	return sinks, closeOurs, nil
}

// drain reads until the end. Beyond the limit output is read and dropped, so that the program does not hang.
func (s *sink) drain() {
	defer close(s.done)
	defer s.from.Close()
	piece := make([]byte, outputPiece)
	for {
		count, err := s.from.Read(piece)
		if count > 0 {
			s.busy.Store(true)
			s.seen.Add(int64(count))
			s.take(piece[:count])
			s.busy.Store(false)
		}
		if err != nil {
			return
		}
	}
}

func (s *sink) take(data []byte) {
	s.mu.Lock()
	if s.limit > 0 && s.taken+int64(len(data)) > s.limit {
		data = data[:s.limit-s.taken]
		s.truncated = true
	}
	s.taken += int64(len(data))
	if !s.stream {
		s.held = append(s.held, data...)
	}
	s.mu.Unlock()
	if s.stream && len(data) > 0 && s.call.work.ctx.Err() == nil {
		_ = s.call.session.send(wire.Notification("exec_output", ExecOutput{s.call.id, s.name, data}))
	}
}

// finish waits for the end of the output, for as long as some comes or the host takes it. A program that left a daemon
// behind has not closed what it wrote to: that is not waited for.
func (s *sink) finish() {
	for before := int64(-1); ; {
		select {
		case <-s.done:
			return
		case <-time.After(outputAfterEnd):
		}
		now := s.seen.Load()
		if now == before && !s.busy.Load() {
			_ = s.from.Close()
			<-s.done
			return
		}
		before = now
	}
}

func (s *sink) result() ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]byte{}, s.held...), s.truncated
}

// input is what exec_input brought, until the program takes it. Bounded: who sends more than fits ends it.
type input struct {
	mu     sync.Mutex
	parts  [][]byte
	size   int
	eof    bool
	change chan struct{}
}

const maxInputWaiting = 4 * wire.MaxChunk

func newInput() *input { return &input{change: make(chan struct{}, 1)} }

func (i *input) add(data []byte, eof bool) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.eof || i.size+len(data) > maxInputWaiting {
		return false
	}
	i.parts, i.size, i.eof = append(i.parts, data), i.size+len(data), eof
	select {
	case i.change <- struct{}{}:
	default:
	}
	return true
}

func (i *input) next() (data []byte, eof bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for len(i.parts) > 0 && len(i.parts[0]) == 0 {
		i.parts = i.parts[1:]
	}
	if len(i.parts) == 0 {
		return nil, i.eof
	}
	data = i.parts[0]
	i.parts = i.parts[1:]
	i.size -= len(data)
	return data, false
}

func execInput(s *session, text []byte) {
	var asked struct {
		ID   json.RawMessage `json:"id"`
		Data []byte          `json:"data"`
		EOF  bool            `json:"eof"`
	}
	if json.Unmarshal(text, &asked) != nil || len(asked.Data) > wire.MaxChunk {
		return
	}
	s.mu.Lock()
	c := s.work.running[string(asked.ID)]
	s.mu.Unlock()
	if c == nil || c.input == nil {
		return
	}
	if !c.input.add(asked.Data, asked.EOF) {
		c.cancel() // input would be missing in the middle: the program must not go on with it
	}
}

// feeder writes a program's input.
type feeder struct {
	to     *os.File
	theirs *os.File
}

func connectInput(asked *ExecParams, command *exec.Cmd) (*feeder, error) {
	if len(asked.Stdin) == 0 && !asked.KeepInput {
		return &feeder{}, nil // no input is /dev/null
	}
	theirs, to, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	command.Stdin = theirs
	return &feeder{to, theirs}, nil
}

// started closes the program's end, which it has by now.
func (f *feeder) started() {
	if f.theirs != nil {
		_ = f.theirs.Close()
	}
}

// abandon ends what waits for a program that reads no more.
func (f *feeder) abandon() {
	if f.to != nil {
		_ = f.to.Close()
	}
}

func (f *feeder) feed(c *call, asked *ExecParams) {
	if f.to == nil {
		return
	}
	defer f.to.Close()
	if _, err := f.to.Write(asked.Stdin); err != nil || !asked.KeepInput {
		return // a program need not read its input
	}
	for {
		data, eof := c.input.next()
		if eof {
			return
		}
		if data == nil {
			select {
			case <-c.input.change:
			case <-c.ctx.Done():
				return
			}
			continue
		}
		if _, err := f.to.Write(data); err != nil {
			return
		}
	}
}
