package agent

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kvmmanager.org/guest/internal/wire"
)

type powerParams struct {
	Force bool `json:"force"`
}

func shutdown(c *call) (any, error) { return power(c, false) }
func reboot(c *call) (any, error)   { return power(c, true) }

// power asks the guest's system to end. It answers as soon as that has begun: afterwards the agent may not be there to answer.
func power(c *call, again bool) (any, error) {
	asked, err := params[powerParams](c)
	if err != nil {
		return nil, err
	}
	return Done{true}, beginPower(c.ctx, again, asked.Force)
}

func setTime(c *call) (any, error) {
	asked, err := params[struct {
		TimeMs *int64 `json:"time_ms"`
	}](c)
	if err != nil {
		return nil, err
	}
	const year2000, year2100 = 946_684_800_000, 4_102_444_800_000
	if asked.TimeMs == nil || *asked.TimeMs < year2000 || *asked.TimeMs > year2100 {
		return nil, wire.Fail(wire.InvalidParams, "time_ms is milliseconds since 1970, between the years 2000 and 2100")
	}
	return Done{true}, changeTime(time.UnixMilli(*asked.TimeMs))
}

// validUser refuses what another program could take for an option or for a second line.
func validUser(name string) error {
	if name == "" || len(name) > 256 || strings.HasPrefix(name, "-") || strings.ContainsAny(name, ":\n\r\x00/\\") {
		return wire.Fail(wire.InvalidParams, "that is no name of a user")
	}
	return nil
}

func setPassword(c *call) (any, error) {
	asked, err := params[struct {
		User     string `json:"user"`
		Password string `json:"password"`
		Hashed   bool   `json:"hashed"`
	}](c)
	if err != nil {
		return nil, err
	}
	if err := validUser(asked.User); err != nil {
		return nil, err
	}
	if asked.Password == "" || len(asked.Password) > 1024 || strings.ContainsAny(asked.Password, "\n\r\x00") {
		return nil, wire.Fail(wire.InvalidParams, "that cannot be a password: empty, too long, or with an end of line")
	}
	return Done{true}, changePassword(c.ctx, asked.User, asked.Password, asked.Hashed)
}

// KeyList is what the ssh_keys methods give.
type KeyList struct {
	Keys []string `json:"keys"`
}

type keyParams struct {
	User string   `json:"user"`
	Keys []string `json:"keys"`
}

func sshKeysList(c *call) (any, error)   { return sshKeys(c, "list") }
func sshKeysAdd(c *call) (any, error)    { return sshKeys(c, "add") }
func sshKeysRemove(c *call) (any, error) { return sshKeys(c, "remove") }

func sshKeys(c *call, action string) (any, error) {
	asked, err := params[keyParams](c)
	if err != nil {
		return nil, err
	}
	if err := validUser(asked.User); err != nil {
		return nil, err
	}
	if (len(asked.Keys) == 0) != (action == "list") || len(asked.Keys) > 100 {
		return nil, wire.Fail(wire.InvalidParams, "keys are 1 to 100 public keys")
	}
	for _, key := range asked.Keys {
		if !IsPublicKey(key) {
			return nil, wire.Fail(wire.InvalidParams, "one of the keys is not a public key for OpenSSH")
		}
	}
	return changeKeys(c.ctx, asked.User, action, asked.Keys)
}

// IsPublicKey judges a line for authorized_keys: kind, data, comment, and no options before.
func IsPublicKey(line string) bool {
	fields := strings.Fields(line)
	if len(line) > 16*1024 || strings.ContainsAny(line, "\n\r\x00") || len(fields) < 2 {
		return false
	}
	kind := fields[0]
	if !(strings.HasPrefix(kind, "ssh-") || strings.HasPrefix(kind, "ecdsa-sha2-") || strings.HasPrefix(kind, "sk-")) {
		return false
	}
	return strings.HasPrefix(fields[1], "AAAA") && strings.Trim(fields[1], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") == ""
}

// freezer keeps file systems still for as long as a snapshot takes, and never longer than was said.
type freezer struct {
	mu     sync.Mutex
	frozen []string
	// active is asked before every request: that must not wait for a freeze under way.
	active atomic.Bool
	timer  *time.Timer
	until  time.Time
	log    interface {
		Printf(string, ...any)
		Pause(bool)
	}
}

const (
	defaultFreeze = 30 * time.Second
	longestFreeze = 300 * time.Second
)

// FreezeStatus is what the fs_ methods give.
type FreezeStatus struct {
	Frozen      bool     `json:"frozen"`
	MountPoints []string `json:"mount_points"`
	ThawsInMs   int64    `json:"thaws_in_ms"`
}

func (f *freezer) isFrozen() bool { return f.active.Load() }

func (f *freezer) status() FreezeStatus {
	f.mu.Lock()
	defer f.mu.Unlock()
	status := FreezeStatus{Frozen: len(f.frozen) > 0, MountPoints: append([]string{}, f.frozen...)}
	if left := time.Until(f.until).Milliseconds(); status.Frozen && left > 0 {
		status.ThawsInMs = left
	}
	return status
}

func fsFreezeStatus(c *call) (any, error) { return c.session.agent.freezer.status(), nil }

func fsFreeze(c *call) (any, error) {
	asked, err := params[struct {
		TimeoutMs   int64    `json:"timeout_ms"`
		MountPoints []string `json:"mount_points"`
	}](c)
	if err != nil {
		return nil, err
	}
	limit := time.Duration(asked.TimeoutMs) * time.Millisecond
	if limit == 0 {
		limit = defaultFreeze
	}
	if limit < 0 || limit > longestFreeze {
		return nil, wire.Fail(wire.InvalidParams, "timeout_ms is at most 300000")
	}
	f := &c.session.agent.freezer
	if err := f.freeze(limit, asked.MountPoints); err != nil {
		return nil, err
	}
	return f.status(), nil
}

func (f *freezer) freeze(limit time.Duration, only []string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.frozen) > 0 {
		return wire.Fail(wire.Frozen, "file systems are frozen already")
	}
	points, err := freezable(only)
	if err != nil {
		return err
	}
	if err := remember(points); err != nil {
		return err
	}
	f.active.Store(true)
	f.log.Pause(true)
	// Set before the first one stands still, so that nothing can keep them so
	f.until = time.Now().Add(limit)
	f.timer = time.AfterFunc(limit, f.thawLate)
	for _, point := range points {
		if err := setFrozen(point, true); err != nil {
			if errors.Is(err, errCannotFreeze) {
				continue
			}
			f.thawAll()
			return wire.Fail(wire.Failed, "freezing "+point+": "+err.Error())
		}
		f.frozen = append(f.frozen, point)
	}
	if len(f.frozen) == 0 {
		f.thawAll()
		return wire.Fail(wire.Unsupported, "the guest has no file system that can be frozen")
	}
	return nil
}

func (f *freezer) thawLate() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.frozen) == 0 {
		return
	}
	f.thawAll()
	f.log.Printf("file systems were thawed: their time was over")
}

// thawAll thaws in the other order, as one may lie on another. The lock is held.
func (f *freezer) thawAll() {
	if f.timer != nil {
		f.timer.Stop()
	}
	for index := len(f.frozen) - 1; index >= 0; index-- {
		if err := setFrozen(f.frozen[index], false); err != nil {
			f.log.Printf("thawing %s: %v", f.frozen[index], err)
		}
	}
	f.frozen = nil
	f.active.Store(false)
	f.log.Pause(false)
	forget()
}

func fsThaw(c *call) (any, error) {
	f := &c.session.agent.freezer
	f.mu.Lock()
	f.thawAll()
	f.mu.Unlock()
	return f.status(), nil
}

// metadata are values that host and guest leave for each other.
type metadata struct {
	mu   sync.Mutex
	path string
}

const (
	maxMetadata      = 64
	maxMetadataKey   = 64
	maxMetadataValue = 4096
)

// Metadata is what get_metadata gives.
type Metadata struct {
	Metadata map[string]string `json:"metadata"`
}

func (m *metadata) read() (map[string]string, error) {
	values := map[string]string{}
	data, err := os.ReadFile(m.path)
	if errors.Is(err, os.ErrNotExist) {
		return values, nil
	}
	if err != nil {
		return nil, err
	}
	if len(data) > maxMetadata*2*(maxMetadataKey+maxMetadataValue) {
		return nil, errors.New(m.path + " is too large")
	}
	return values, json.Unmarshal(data, &values)
}

// Set keeps a value; an empty one is removed.
func (m *metadata) set(key, value string) error {
	if key == "" || len(key) > maxMetadataKey || strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" {
		return wire.Fail(wire.InvalidParams, "a key has 1 to 64 letters, digits, dots, dashes and underscores")
	}
	if len(value) > maxMetadataValue {
		return wire.Fail(wire.InvalidParams, "a value has at most 4096 bytes")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	values, err := m.read()
	if err != nil {
		return err
	}
	if value == "" {
		delete(values, key)
	} else {
		values[key] = value
	}
	if len(values) > maxMetadata {
		return wire.Fail(wire.TooLarge, "there are at most 64 values")
	}
	data, err := json.Marshal(values)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(m.path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(m.path+".new", data, 0o600); err != nil {
		return err
	}
	return os.Rename(m.path+".new", m.path)
}

func getMetadata(c *call) (any, error) {
	values, err := c.session.agent.metadata.read()
	return Metadata{values}, err
}

func setMetadata(c *call) (any, error) {
	asked, err := params[struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}](c)
	if err != nil {
		return nil, err
	}
	return Done{true}, c.session.agent.metadata.set(asked.Key, asked.Value)
}

// MetadataValues and SetMetadata are the guest's own way to the values: `kvm-manager-agent metadata`.
func MetadataValues() (map[string]string, error) {
	return (&metadata{path: metadataPath()}).read()
}

// SetMetadata keeps a value for the host to read; an empty one is removed.
func SetMetadata(key, value string) error {
	return (&metadata{path: metadataPath()}).set(key, value)
}
