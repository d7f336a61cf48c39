package agent

import (
	"encoding/json"
	"os"
	"runtime"
	"sort"
	"time"

	"kvmmanager.org/guest/internal/rules"
	"kvmmanager.org/guest/internal/wire"
)

// method is a row of the table.
type method struct {
	run func(*call) (any, error)
	// chunk and notice take the place of run for parts of files, and for what is not answered.
	chunk  func(*session, wire.Request) *wire.Error
	notice func(*session, []byte)
	// changes says that it is not for a read-only agent.
	changes bool
	// inline says that it is done at once, before the next line is read.
	inline bool
	// quiet methods are not logged.
	quiet bool
	// hidden parameters are not logged.
	hidden []string
	// limit is how long it may take; ownLimit: it sees to that itself.
	limit    time.Duration
	ownLimit bool
	// whileFrozen says that it touches no file system.
	whileFrozen bool
	hasInput    bool
}

const defaultLimit = 20 * time.Second

var methods map[string]method

func init() {
	methods = map[string]method{
		"ping":           {run: ping, inline: true, quiet: true, whileFrozen: true},
		"get_agent_info": {run: agentInfo, inline: true, whileFrozen: true},
		"cancel":         {notice: cancelCall},

		"guest.get_info":   {run: guestInfo},
		"get_system_info":  {run: systemInfo},
		"get_network_info": {run: networkInfo},
		"get_disk_usage":   {run: diskUsage},
		"get_metrics":      {run: getMetrics, quiet: true},
		"get_processes":    {run: getProcesses},
		"get_users":        {run: getUsers},
		"get_services":     {run: getServices},
		"control_service":  {run: controlService, changes: true, limit: 120 * time.Second},
		"get_packages":     {run: getPackages, limit: 60 * time.Second},
		"get_security":     {run: getSecurity},

		"exec_command": {run: execCommand, changes: true, ownLimit: true, hasInput: true, hidden: []string{"stdin", "env"}},
		"exec_input":   {notice: execInput},

		"file_read":           {run: fileRead},
		"file_write":          {run: fileWrite, changes: true, hidden: []string{"data"}},
		"file_list":           {run: fileList},
		"file_stat":           {run: fileStat},
		"file_make_directory": {run: fileMakeDirectory, changes: true},
		"file_remove":         {run: fileRemove, changes: true, limit: 120 * time.Second},
		"file_rename":         {run: fileRename, changes: true},
		"file_open":           {run: fileOpen, inline: false},
		"chunk_read":          {chunk: chunkRead},
		"chunk_write":         {chunk: chunkWrite, changes: true},
		"file_close":          {chunk: fileClose},

		"shutdown": {run: shutdown, changes: true},
		"reboot":   {run: reboot, changes: true},

		"fs_freeze":        {run: fsFreeze, changes: true},
		"fs_thaw":          {run: fsThaw, whileFrozen: true, changes: true},
		"fs_freeze_status": {run: fsFreezeStatus, inline: true, whileFrozen: true},

		"set_time":        {run: setTime, changes: true},
		"set_password":    {run: setPassword, changes: true, hidden: []string{"password"}},
		"ssh_keys_list":   {run: sshKeysList},
		"ssh_keys_add":    {run: sshKeysAdd, changes: true},
		"ssh_keys_remove": {run: sshKeysRemove, changes: true},

		"get_metadata": {run: getMetadata},
		"set_metadata": {run: setMetadata, changes: true, hidden: []string{"value"}},
	}
}

// Pong is the answer to ping.
type Pong struct {
	Pong   bool  `json:"pong"`
	TimeMs int64 `json:"time_ms"`
}

func ping(c *call) (any, error) {
	if _, err := params[struct{}](c); err != nil {
		return nil, err
	}
	return Pong{true, time.Now().UnixMilli()}, nil
}

// AgentInfo is what agent and host agree on.
type AgentInfo struct {
	Name            string   `json:"name"`
	Version         string   `json:"version"`
	ProtocolVersion int      `json:"protocol_version"`
	ProtocolMin     int      `json:"protocol_min"`
	ProtocolMax     int      `json:"protocol_max"`
	OsType          string   `json:"os_type"`
	Architecture    string   `json:"architecture"`
	ReadOnly        bool     `json:"read_only"`
	Methods         []string `json:"methods"`
	MaxLine         int      `json:"max_line"`
	MaxChunk        int      `json:"max_chunk"`
	MaxRunning      int      `json:"max_running"`
	Pid             int      `json:"pid"`
}

func agentInfo(c *call) (any, error) {
	asked, err := params[struct {
		Min   *int `json:"protocol_min"`
		Max   *int `json:"protocol_max"`
		Reset bool `json:"reset"`
	}](c)
	if err != nil {
		return nil, err
	}
	chosen := wire.Version
	if asked.Max != nil && *asked.Max < chosen {
		chosen = *asked.Max
	}
	if chosen < wire.VersionMin || (asked.Min != nil && chosen < *asked.Min) {
		return nil, wire.Fail(wire.NoCommonVersion, "this agent speaks protocol version 1")
	}
	a := c.session.agent
	if asked.Reset {
		c.session.restart()
		c.work = c.session.work
		// An answer to the host before may have been cut: its half line must not swallow this one
		_ = c.session.send([]byte{'\n'})
	}
	allowed := []string{}
	for name, m := range methods {
		if a.rules.AllowsMethod(name, m.changes) {
			allowed = append(allowed, name)
		}
	}
	sort.Strings(allowed)
	return AgentInfo{
		Name: "kvm-manager-agent", Version: a.version,
		ProtocolVersion: chosen, ProtocolMin: wire.VersionMin, ProtocolMax: wire.Version,
		OsType: runtime.GOOS, Architecture: architecture(), ReadOnly: a.rules.ReadOnly, Methods: allowed,
		MaxLine: wire.MaxLine, MaxChunk: wire.MaxChunk, MaxRunning: maxRunning, Pid: os.Getpid(),
	}, nil
}

// architecture in the words of uname, which the host uses as well.
func architecture() string {
	switch runtime.GOARCH {
	case "amd64":
		return "x86_64"
	case "arm64":
		return "aarch64"
	}
	return runtime.GOARCH
}

// cancelCall ends a request that is under way; it is answered as one that was cancelled.
func cancelCall(s *session, text []byte) {
	var asked struct {
		ID json.RawMessage `json:"id"`
	}
	if json.Unmarshal(text, &asked) != nil {
		return
	}
	s.mu.Lock()
	c := s.work.running[string(asked.ID)]
	s.mu.Unlock()
	if c != nil {
		c.cancel()
	}
}

func metadataPath() string { return rules.Folder() + string(os.PathSeparator) + "metadata.json" }
