package agent

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kvmmanager.org/guest/internal/logs"
	"kvmmanager.org/guest/internal/port"
	"kvmmanager.org/guest/internal/rules"
	"kvmmanager.org/guest/internal/wire"
)

// pipePort is a port whose host is the test.
type pipePort struct {
	from *io.PipeReader
	to   *io.PipeWriter
}

func (p pipePort) Read(into []byte) (int, error) {
	count, err := p.from.Read(into)
	if err != nil {
		err = port.ErrNobody
	}
	return count, err
}
func (p pipePort) Write(from []byte) (int, error) { return p.to.Write(from) }
func (p pipePort) Close() error                   { return p.from.Close() }

type host struct {
	t     *testing.T
	to    *io.PipeWriter
	lines *bufio.Reader
	log   string
}

// lastingDir is a folder that goes at the end of the test, also where a command that is not waited for any more writes
// its line of the log meanwhile.
func lastingDir(t *testing.T) string {
	t.Helper()
	path, err := os.MkdirTemp("", "agent-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			err := os.RemoveAll(path)
			if err == nil {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("%s could not be removed: %v", path, err)
				return
			}
		}
	})
	return path
}

func newHost(t *testing.T, config string) *host {
	t.Helper()
	allowed, err := rules.Parse([]byte(config))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(lastingDir(t), "agent.log")
	log := logs.New(path, 0)
	a := New("9.9.9", allowed, log)
	a.metadata.path = filepath.Join(t.TempDir(), "metadata.json")
	theirs, ours := io.Pipe()
	answers, out := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = a.serveHost(pipePort{theirs, out})
	}()
	t.Cleanup(func() {
		_ = ours.Close()
		_ = answers.Close()
		<-done
	})
	return &host{t, ours, bufio.NewReaderSize(answers, wire.MaxLine+1), path}
}

func (h *host) send(line string) {
	h.t.Helper()
	if _, err := io.WriteString(h.to, line+"\n"); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) line() string {
	h.t.Helper()
	line, err := h.lines.ReadString('\n')
	if err == nil && line == "\n" { // before the answer to a host that takes over
		line, err = h.lines.ReadString('\n')
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.TrimSuffix(line, "\n")
}

type reply struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *wire.Error     `json:"error"`
}

func (h *host) reply() reply {
	h.t.Helper()
	var next reply
	if err := json.Unmarshal([]byte(h.line()), &next); err != nil {
		h.t.Fatal(err)
	}
	return next
}

func (h *host) call(method string, params any) reply {
	h.t.Helper()
	text, err := json.Marshal(params)
	if err != nil {
		h.t.Fatal(err)
	}
	h.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, text))
	return h.reply()
}

func result[T any](t *testing.T, from reply) T {
	t.Helper()
	var read T
	if from.Error != nil {
		t.Fatal(from.Error.Code, from.Error.Message)
	}
	if err := json.Unmarshal(from.Result, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

type object = map[string]any

// vectors are shared with the host's side: guest/vectors.json.
type vectors struct {
	ToAgent []struct {
		Name   string
		Line   string
		Answer string
	} `json:"to_agent"`
	Results []struct {
		Method string
		Result json.RawMessage
	}
}

func readVectors(t *testing.T) vectors {
	t.Helper()
	text, err := os.ReadFile("../../vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var read vectors
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func TestVectorsToTheAgent(t *testing.T) {
	h := newHost(t, `{"methods_denied":["get_users"]}`)
	all := readVectors(t).ToAgent
	if len(all) < 15 {
		t.Fatal("too few")
	}
	for _, vector := range all {
		h.send(vector.Line)
		if vector.Answer == "" { // nothing is answered: the next one's answer shows it
			continue
		}
		if answer := h.line(); answer != vector.Answer {
			t.Errorf("%s: %s", vector.Name, answer)
		}
	}
}

func TestVectorsOfResults(t *testing.T) {
	shapes := map[string]any{
		"ping": &Pong{}, "get_agent_info": &AgentInfo{}, "guest.get_info": &GuestInfo{}, "get_system_info": &SystemInfo{},
		"get_network_info": &NetworkInfo{}, "exec_command": &ExecResult{}, "file_read": &FilePart{}, "file_write": &Written{},
		"file_list": &Listing{}, "file_open": &Opened{}, "file_close": &Closed{}, "get_metrics": &Metrics{},
		"get_packages": &Packages{}, "get_security": &Security{}, "fs_freeze": &FreezeStatus{}, "ssh_keys_list": &KeyList{},
		"get_metadata": &Metadata{}, "shutdown": &Done{}, "file_stat": &Entry{},
		"get_disk_usage": &struct {
			Filesystems []Filesystem `json:"filesystems"`
		}{},
		"get_processes": &struct {
			Total     int       `json:"total"`
			Processes []Process `json:"processes"`
		}{},
		"get_services": &struct {
			Services []Service `json:"services"`
		}{},
		"get_users": &struct {
			Users []User `json:"users"`
		}{},
	}
	seen := 0
	for _, vector := range readVectors(t).Results {
		shape := shapes[vector.Method]
		if shape == nil {
			t.Errorf("%s: no shape", vector.Method)
			continue
		}
		seen++
		decoder := json.NewDecoder(bytes.NewReader(vector.Result))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(shape); err != nil {
			t.Errorf("%s: %v", vector.Method, err)
			continue
		}
		again, err := json.Marshal(shape)
		if err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, vector.Result); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again, compact.Bytes()) {
			t.Errorf("%s: the agent writes\n%s\ninstead of\n%s", vector.Method, again, compact.Bytes())
		}
	}
	if seen < len(shapes) {
		t.Errorf("%d of %d shapes have a vector", seen, len(shapes))
	}
}

func TestACommandRunsWithInputAndEnds(t *testing.T) {
	h := newHost(t, `{}`)
	ran := result[ExecResult](t, h.call("exec_command", object{
		"command": "sh", "args": []string{"-c", "cat; echo $WHO >&2; exit 7"}, "stdin": []byte("in"), "env": object{"WHO": "me"},
	}))
	if ran.ExitCode != 7 || string(ran.Stdout) != "in" || string(ran.Stderr) != "me\n" {
		t.Errorf("%+v", ran)
	}
	began := time.Now()
	ran = result[ExecResult](t, h.call("exec_command", object{
		"command": "sh", "args": []string{"-c", "sleep 60 & sleep 60"}, "timeout_ms": 300,
	}))
	if !ran.TimedOut || ran.ExitCode != 137 || time.Since(began) > 20*time.Second {
		t.Errorf("%+v after %s", ran, time.Since(began))
	}
	ran = result[ExecResult](t, h.call("exec_command", object{"command": "head", "args": []string{"-c", "9000000", "/dev/zero"}, "max_output": 1000}))
	if len(ran.Stdout) != 1000 || !ran.StdoutTruncated || ran.ExitCode != 0 {
		t.Errorf("%d bytes, truncated: %v, %d", len(ran.Stdout), ran.StdoutTruncated, ran.ExitCode)
	}
}

func TestADaemonLeftBehindIsNotWaitedFor(t *testing.T) {
	h := newHost(t, `{}`)
	began := time.Now()
	ran := result[ExecResult](t, h.call("exec_command", object{"command": "sh", "args": []string{"-c", "sleep 30 & echo left"}}))
	if string(ran.Stdout) != "left\n" || ran.ExitCode != 0 || time.Since(began) > 20*time.Second {
		t.Errorf("%+v after %s", ran, time.Since(began))
	}
}

func TestOutputIsStreamedAndInputFollows(t *testing.T) {
	h := newHost(t, `{}`)
	h.send(`{"jsonrpc":"2.0","id":"e","method":"exec_command","params":{"command":"cat","keep_input":true,"stream":true}}`)
	got := ""
	for _, part := range []string{"one", "two"} {
		h.send(fmt.Sprintf(`{"jsonrpc":"2.0","method":"exec_input","params":{"id":"e","data":%q}}`, base64.StdEncoding.EncodeToString([]byte(part))))
		var out ExecOutput
		next := h.reply()
		if err := json.Unmarshal(next.Params, &out); err != nil || next.Method != "exec_output" || out.Stream != "stdout" || string(out.ID) != `"e"` {
			t.Fatal(next, err)
		}
		got += string(out.Data)
	}
	h.send(`{"jsonrpc":"2.0","method":"exec_input","params":{"id":"e","data":"","eof":true}}`)
	if ran := result[ExecResult](t, h.reply()); got != "onetwo" || ran.ExitCode != 0 {
		t.Error(got, ran)
	}
	h.send(`{"jsonrpc":"2.0","id":"c","method":"exec_command","params":{"command":"sleep","args":["60"]}}`)
	h.send(`{"jsonrpc":"2.0","method":"cancel","params":{"id":"c"}}`)
	if next := h.reply(); next.Error == nil || next.Error.Code != wire.Cancelled {
		t.Error(next)
	}
}

func TestFilesAreCopiedWithChecksums(t *testing.T) {
	h := newHost(t, `{}`)
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	data := make([]byte, 3*wire.MaxChunk+17)
	rand.New(rand.NewSource(3)).Read(data)
	hash := sha256.Sum256(data)
	sum := hex.EncodeToString(hash[:])
	copyTo := func(sum string, abort bool) reply {
		opened := result[Opened](t, h.call("file_open", object{"path": path, "write": true, "mode": 0o751, "size": len(data)}))
		for at := 0; at < len(data); at += wire.MaxChunk {
			end := at + wire.MaxChunk
			if end > len(data) {
				end = len(data)
			}
			if next := h.call("chunk_write", object{"handle": opened.Handle, "offset": at, "data": data[at:end]}); next.Error != nil {
				t.Fatal(next.Error)
			}
		}
		return h.call("file_close", object{"handle": opened.Handle, "sha256": sum, "abort": abort})
	}
	names := func() int {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	if next := copyTo(strings.Repeat("0", 64), false); next.Error == nil || next.Error.Code != wire.ChecksumMismatch {
		t.Fatal("a wrong checksum is taken")
	}
	copyTo("", true)
	for wait := 0; names() > 0; wait++ {
		if wait > 100 {
			t.Fatal("half a file is left")
		}
		time.Sleep(20 * time.Millisecond)
	}
	closed := result[Closed](t, copyTo(sum, false))
	info, err := os.Stat(path)
	if err != nil || closed.Sha256 != sum || info.Mode() != 0o751 || info.Size() != int64(len(data)) {
		t.Fatal(closed, info, err)
	}
	opened := result[Opened](t, h.call("file_open", object{"path": path}))
	back := []byte{}
	for eof := false; !eof; {
		part := result[FilePart](t, h.call("chunk_read", object{"handle": opened.Handle}))
		back, eof = append(back, part.Data...), part.EOF
	}
	if closed := result[Closed](t, h.call("file_close", object{"handle": opened.Handle})); closed.Sha256 != sum || !bytes.Equal(back, data) {
		t.Error("it came back differently")
	}
	// A host that takes over finds nothing of the one before
	result[Opened](t, h.call("file_open", object{"path": path, "write": true}))
	result[AgentInfo](t, h.call("get_agent_info", object{"reset": true}))
	for wait := 0; names() > 1; wait++ {
		if wait > 100 {
			t.Fatal("half a file is left")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestFilesAndFolders(t *testing.T) {
	h := newHost(t, `{}`)
	folder := t.TempDir()
	deep := filepath.Join(folder, "a", "b")
	result[Done](t, h.call("file_make_directory", object{"path": deep, "parents": true, "mode": 0o700}))
	result[Written](t, h.call("file_write", object{"path": deep + "/f", "data": []byte("one")}))
	if written := result[Written](t, h.call("file_write", object{"path": deep + "/f", "data": []byte("two"), "append": true})); written.Size != 6 {
		t.Error(written)
	}
	if part := result[FilePart](t, h.call("file_read", object{"path": deep + "/f", "offset": 2, "length": 3})); string(part.Data) != "etw" || part.EOF {
		t.Error(part)
	}
	if err := os.WriteFile(filepath.Join(deep, "bad\xff"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	listing := result[Listing](t, h.call("file_list", object{"path": deep}))
	if listing.Total != 2 || listing.Entries[0].NameBytes == "" || listing.Entries[1].Name != "f" || listing.Entries[1].Size != 6 {
		t.Errorf("%+v", listing)
	}
	result[Done](t, h.call("file_rename", object{"from": deep + "/f", "to": folder + "/g"}))
	if next := h.call("file_read", object{"path": deep + "/f"}); next.Error == nil || next.Error.Code != wire.NotFound {
		t.Error(next)
	}
	if next := h.call("file_remove", object{"path": folder + "/a"}); next.Error == nil {
		t.Error("a folder with content is removed")
	}
	result[Done](t, h.call("file_remove", object{"path": folder + "/a", "recursive": true}))
	for _, path := range []string{"/dev/zero", "/proc", "relative", ""} {
		if next := h.call("file_read", object{"path": path}); next.Error == nil {
			t.Errorf("%q is read", path)
		}
	}
}

func TestTheConfigurationIsKept(t *testing.T) {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if os.Symlink("/etc", filepath.Join(folder, "out")) != nil || os.WriteFile(filepath.Join(folder, "in"), nil, 0o644) != nil {
		t.Fatal("no files")
	}
	h := newHost(t, fmt.Sprintf(`{"paths_allowed":[%q],"commands_allowed":["true"],"methods_denied":["shutdown"]}`, folder))
	for _, denied := range []struct {
		method string
		params object
	}{
		{"file_read", object{"path": "/etc/passwd"}}, {"file_read", object{"path": folder + "/out/passwd"}},
		{"file_write", object{"path": folder + "/../x", "data": ""}}, {"file_open", object{"path": "/etc/passwd"}},
		{"file_list", object{"path": "/"}}, {"file_remove", object{"path": "/etc/passwd"}}, {"file_stat", object{"path": "/etc/passwd"}},
		{"file_rename", object{"from": folder + "/in", "to": "/tmp/x"}}, {"exec_command", object{"command": "id"}}, {"shutdown", object{}},
	} {
		if next := h.call(denied.method, denied.params); next.Error == nil || next.Error.Code != wire.Denied {
			t.Errorf("%s %v: %+v", denied.method, denied.params, next.Error)
		}
	}
	result[ExecResult](t, h.call("exec_command", object{"command": "true"}))
	result[FilePart](t, h.call("file_read", object{"path": folder + "/in"}))

	readOnly := newHost(t, `{"read_only":true}`)
	for method, params := range map[string]object{
		"exec_command": {"command": "true"}, "file_write": {"path": folder + "/x", "data": ""}, "set_time": {"time_ms": 1},
		"file_open": {"path": folder + "/x", "write": true}, "reboot": {}, "fs_freeze": {},
	} {
		if next := readOnly.call(method, params); next.Error == nil || next.Error.Code != wire.Denied {
			t.Errorf("%s: %+v", method, next.Error)
		}
	}
	result[FilePart](t, readOnly.call("file_read", object{"path": folder + "/in"}))
}

func TestTheLogHasArgumentsAndNoSecrets(t *testing.T) {
	h := newHost(t, `{}`)
	h.call("exec_command", object{"command": "true", "args": []string{"--flag"}, "stdin": []byte("hidden input"), "env": object{"K": "hidden-env"}})
	h.call("set_password", object{"user": "nobody-here", "password": "hidden-password"})
	h.call("file_write", object{"path": filepath.Join(t.TempDir(), "f"), "data": []byte("hidden content")})
	var text []byte
	for wait := 0; wait < 100 && !strings.Contains(string(text), "file_write"); wait++ {
		time.Sleep(20 * time.Millisecond)
		text, _ = os.ReadFile(h.log)
	}
	for _, word := range []string{"exec_command", "--flag", "nobody-here", "file_write"} {
		if !strings.Contains(string(text), word) {
			t.Errorf("%s is missing in %s", word, text)
		}
	}
	for _, secret := range []string{"hidden", base64.StdEncoding.EncodeToString([]byte("hidden"))[:7]} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%s is in %s", secret, text)
		}
	}
}

func TestGarbageIsAnsweredAndSurvived(t *testing.T) {
	h := newHost(t, `{}`)
	go func() {
		random := rand.New(rand.NewSource(4))
		junk := make([]byte, 4096)
		for range [50]int{} {
			random.Read(junk)
			_, _ = h.to.Write(bytes.ReplaceAll(junk, []byte{'{'}, nil))
		}
		_, _ = io.WriteString(h.to, "\n")
		for range [200]int{} {
			_, _ = io.WriteString(h.to, strings.Repeat("x", wire.MaxLine/50))
		}
		_, _ = io.WriteString(h.to, "\n"+strings.Repeat(`{"a":`, 20_000)+"\n")
		_, _ = io.WriteString(h.to, `{"jsonrpc":"2.0","id":"end","method":"ping"}`+"\n")
	}()
	for {
		next := h.reply()
		if string(next.ID) == `"end"` {
			result[Pong](t, next)
			return
		}
		if next.Error == nil || string(next.ID) != "null" {
			t.Fatalf("%+v", next)
		}
	}
}

func TestMetadataGoesBothWays(t *testing.T) {
	h := newHost(t, `{}`)
	result[Done](t, h.call("set_metadata", object{"key": "role", "value": "web"}))
	if read := result[Metadata](t, h.call("get_metadata", object{})); read.Metadata["role"] != "web" {
		t.Error(read)
	}
	result[Done](t, h.call("set_metadata", object{"key": "role", "value": ""}))
	if read := result[Metadata](t, h.call("get_metadata", object{})); len(read.Metadata) != 0 {
		t.Error(read)
	}
	if next := h.call("set_metadata", object{"key": "../x", "value": "1"}); next.Error == nil {
		t.Error("any key is taken")
	}
}
