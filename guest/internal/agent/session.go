package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"kvmmanager.org/guest/internal/port"
	"kvmmanager.org/guest/internal/wire"
)

// session is one host on the port, from its first byte until it leaves. All that it began ends with it.
type session struct {
	agent  *Agent
	port   port.Port
	served bool

	writing sync.Mutex

	mu      sync.Mutex
	work    *work
	decoded []byte
}

// work is what a session has under way; a host that takes over begins a new one.
type work struct {
	ctx     context.Context
	cancel  context.CancelFunc
	running map[string]*call
	copies  copies
}

func newWork() *work {
	ctx, cancel := context.WithCancel(context.Background())
	return &work{ctx: ctx, cancel: cancel, running: map[string]*call{}}
}

// call is a request under way.
type call struct {
	session *session
	work    *work
	ctx     context.Context
	cancel  context.CancelFunc
	id      []byte
	params  []byte
	// input takes what exec_input brings.
	input *input
}

func newSession(a *Agent, line port.Port) *session {
	return &session{agent: a, port: line, work: newWork()}
}

func (s *session) run() error {
	lines := wire.NewLines(s.port)
	for {
		line, tooLong, err := lines.Next()
		if err != nil {
			return err
		}
		s.served = true
		switch {
		case tooLong:
			s.fail(nil, wire.Fail(wire.InvalidRequest, fmt.Sprintf("a line has at most %d bytes", wire.MaxLine)))
		case len(line) == 0: // what a host sends to end a half line of the one before
		default:
			s.take(line)
		}
		lines.Shrink(len(line))
	}
}

// restart ends what a former host left behind.
func (s *session) restart() {
	s.mu.Lock()
	old := s.work
	s.work = newWork()
	s.mu.Unlock()
	old.end()
}

func (s *session) end() {
	s.work.end()
	s.decoded = nil
}

func (w *work) end() {
	w.cancel()
	w.copies.abandon()
}

func (s *session) send(line []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	_, err := s.port.Write(line)
	return err
}

func (s *session) answer(id []byte, result any) {
	if line, failure := wire.Answer(id, result); failure != nil {
		s.fail(id, failure)
	} else {
		_ = s.send(line) // a host that is gone is noticed by who reads
	}
}

func (s *session) fail(id []byte, failure *wire.Error) {
	_ = s.send(wire.AnswerError(id, failure))
}

// take handles a line. It comes back soon: what may take long is done in a goroutine.
func (s *session) take(line []byte) {
	request, failure := wire.ParseRequest(line)
	if failure != nil {
		s.fail(request.ID, failure)
		return
	}
	m, known := methods[request.Method]
	if request.ID == nil {
		if known && m.notice != nil {
			m.notice(s, request.Params)
		}
		return
	}
	if !known || m.notice != nil {
		s.fail(request.ID, wire.Fail(wire.MethodNotFound, "unknown method: "+request.Method))
		return
	}
	if failure := s.agent.permits(request.Method, m); failure != nil {
		s.agent.log.Printf("refused %s: %s", request.Method, failure.Message)
		s.fail(request.ID, failure)
		return
	}
	if m.chunk != nil { // not logged one by one: the file was, when it was opened
		if failure := m.chunk(s, request); failure != nil {
			s.fail(request.ID, failure)
		}
		return
	}
	if !m.quiet {
		s.agent.log.Printf("%s %s", request.Method, describe(request.Params, m.hidden))
	}
	c := &call{
		session: s,
		work:    s.work,
		id:      append([]byte(nil), request.ID...),
		params:  append([]byte(nil), request.Params...),
	}
	if m.inline {
		c.finish(m.run(c))
		return
	}
	s.start(c, m)
}

func (s *session) start(c *call, m method) {
	key := string(c.id)
	s.mu.Lock()
	if c.work.running[key] != nil {
		s.mu.Unlock()
		s.fail(c.id, wire.Fail(wire.InvalidRequest, "a request with this id is under way"))
		return
	}
	select {
	case s.agent.slots <- struct{}{}:
	default:
		s.mu.Unlock()
		s.fail(c.id, wire.Fail(wire.Busy, fmt.Sprintf("%d requests are under way", maxRunning)))
		return
	}
	c.ctx, c.cancel = context.WithCancel(c.work.ctx)
	if m.hasInput {
		c.input = newInput()
	}
	c.work.running[key] = c
	s.mu.Unlock()
	go func() {
		result, err := s.within(c, m)
		c.cancel()
		// Before the answer: with it the host may use the id again
		s.mu.Lock()
		delete(c.work.running, key)
		s.mu.Unlock()
		c.finish(result, err)
	}()
}

// within runs a method for as long as it may take. One that hangs in the kernel is left there, and keeps its slot.
func (s *session) within(c *call, m method) (any, error) {
	type outcome struct {
		result any
		err    error
	}
	done := make(chan outcome, 1)
	go func() {
		defer func() { <-s.agent.slots }()
		defer func() {
			if problem := recover(); problem != nil {
				s.agent.log.Printf("a mistake of the agent: %v %s", problem, debug.Stack())
				done <- outcome{nil, wire.Fail(wire.InternalError, "a mistake of the agent; its log has more")}
			}
		}()
		result, err := m.run(c)
		done <- outcome{result, err}
	}()
	limit := m.limit
	if limit == 0 {
		limit = defaultLimit
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	if m.ownLimit {
		timer.Stop()
	}
	select {
	case outcome := <-done:
		return outcome.result, outcome.err
	case <-timer.C:
		return nil, wire.Fail(wire.TimedOut, fmt.Sprintf("it took longer than %s", limit))
	case <-c.ctx.Done():
		// What can be cancelled ends at once, and says how it ended
		select {
		case outcome := <-done:
			return outcome.result, outcome.err
		case <-time.After(3 * time.Second):
			return nil, wire.Fail(wire.Cancelled, "cancelled")
		}
	}
}

// finish answers, unless the host has gone or another has taken over.
func (c *call) finish(result any, err error) {
	c.session.mu.Lock()
	current := c.session.work == c.work
	c.session.mu.Unlock()
	if !current {
		return
	}
	if err == nil {
		c.session.answer(c.id, result)
		return
	}
	c.session.fail(c.id, failureOf(err))
}

// failureOf gives an error a code.
func failureOf(err error) *wire.Error {
	var failure *wire.Error
	switch {
	case errors.As(err, &failure):
		return failure
	case errors.Is(err, os.ErrNotExist):
		return wire.Fail(wire.NotFound, err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return wire.Fail(wire.TimedOut, "it took too long")
	case errors.Is(err, context.Canceled):
		return wire.Fail(wire.Cancelled, "cancelled")
	}
	return wire.Fail(wire.Failed, err.Error())
}

// permits judges a method by the configuration, and by whether file systems are frozen: then whatever writes would hang.
func (a *Agent) permits(name string, m method) *wire.Error {
	if !a.rules.AllowsMethod(name, m.changes) {
		return wire.Fail(wire.Denied, "the agent's configuration does not allow "+name)
	}
	if !m.whileFrozen && a.freezer.isFrozen() {
		return wire.Fail(wire.Frozen, "file systems are frozen: thaw them first")
	}
	return nil
}

// params reads a call's parameters.
func params[T any](c *call) (T, error) {
	var read T
	if len(c.params) == 0 {
		return read, nil
	}
	decoder := json.NewDecoder(strings.NewReader(string(c.params)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&read); err != nil {
		return read, wire.Fail(wire.InvalidParams, strings.TrimPrefix(err.Error(), "json: "))
	}
	return read, nil
}

// describe is what the log says of parameters: never contents or passwords.
func describe(params []byte, hidden []string) string {
	if len(hidden) == 0 || len(params) == 0 {
		return string(params)
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(params, &members) != nil {
		return "(unreadable)"
	}
	for _, name := range hidden {
		if value, there := members[name]; there {
			members[name] = json.RawMessage(fmt.Sprintf(`"(%d bytes)"`, len(value)))
		}
	}
	text, err := json.Marshal(members)
	if err != nil {
		return "(unreadable)"
	}
	return string(text)
}
