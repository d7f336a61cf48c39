// Package agent answers the host: sessions on a port, the table of methods, and what each of them does. See PROTOCOL.md.
package agent

import (
	"errors"
	"time"

	"kvmmanager.org/guest/internal/logs"
	"kvmmanager.org/guest/internal/port"
	"kvmmanager.org/guest/internal/rules"
)

// Agent is what stays while hosts come and go.
type Agent struct {
	version  string
	rules    rules.Rules
	log      *logs.Log
	freezer  freezer
	metadata metadata
	// slots bounds what runs at a time, over sessions: a method that hangs in the kernel keeps its slot.
	slots chan struct{}
}

const maxRunning = 16

// New makes an agent.
func New(version string, allowed rules.Rules, log *logs.Log) *Agent {
	a := &Agent{version: version, rules: allowed, log: log, slots: make(chan struct{}, maxRunning)}
	a.metadata.path = metadataPath()
	a.freezer.log = log
	a.freezer.thawLeftovers()
	return a
}

const (
	firstWait = 50 * time.Millisecond
	// longestWait is how late a host that connects is noticed; a guest that no user looks at wakes up that often.
	longestWait = time.Second
)

// Serve answers on a port until its device is gone.
func (a *Agent) Serve(line port.Port) error {
	wait := firstWait
	for {
		served, err := a.serveHost(line)
		if !errors.Is(err, port.ErrNobody) {
			return err
		}
		if served {
			a.log.Printf("the host closed the channel")
			wait = firstWait
		}
		time.Sleep(wait)
		if wait *= 2; wait > longestWait {
			wait = longestWait
		}
	}
}

// serveHost is one session; served tells whether a host said anything.
func (a *Agent) serveHost(line port.Port) (served bool, err error) {
	s := newSession(a, line)
	defer s.end()
	err = s.run()
	return s.served, err
}
