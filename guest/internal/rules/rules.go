// Package rules is the configuration file: what the guest's administrator lets the host do.
package rules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Rules is the file's content. What is left out is allowed.
type Rules struct {
	// ReadOnly lets nothing through that changes the guest; running commands is such a thing.
	ReadOnly bool `json:"read_only"`
	// MethodsDenied are names of the protocol's methods.
	MethodsDenied []string `json:"methods_denied"`
	// CommandsAllowed, when there are any, are all that exec_command may run; CommandsDenied it never runs.
	// A path means that program, a name every program that is called so.
	CommandsAllowed []string `json:"commands_allowed"`
	CommandsDenied  []string `json:"commands_denied"`
	// PathsAllowed, when there are any, are the folders that file methods stay in; PathsDenied are never touched.
	PathsAllowed []string `json:"paths_allowed"`
	PathsDenied  []string `json:"paths_denied"`
	// User is who commands run as when the host names no user; with User set the host cannot name another.
	User string `json:"user"`
	Log  Log    `json:"log"`
	// Port is the virtio-serial port, or on Windows a COM port; empty: the usual one.
	Port string `json:"port"`
}

// Log says where the agent writes what it was asked for.
type Log struct {
	// File is a path; empty: standard error, which systemd keeps (on Windows: a file next to the configuration).
	File string `json:"file"`
	// MaxBytes is when the file is renamed to *.1 and begun again; 0: 1 MiB.
	MaxBytes int64 `json:"max_bytes"`
}

const maxConfigBytes = 256 * 1024

// DefaultPath is where the configuration is when nothing else is said.
func DefaultPath() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(Folder(), "agent.json")
	}
	return "/etc/kvm-manager-agent/agent.json"
}

// Folder is where the agent keeps what it has to remember.
func Folder() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(os.Getenv("ProgramData"), "KVM Manager Agent")
	}
	return "/var/lib/kvm-manager-agent"
}

// Load reads a configuration. A file that is not there means that all is allowed; one with a mistake is refused, as a rule
// with a typing error in its name would protect nothing.
func Load(path string) (Rules, error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return Rules{}, nil
	}
	if err != nil {
		return Rules{}, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxConfigBytes+1))
	if err != nil {
		return Rules{}, err
	}
	if len(text) > maxConfigBytes {
		return Rules{}, fmt.Errorf("%s: more than %d bytes", path, maxConfigBytes)
	}
	loaded, err := Parse(text)
	if err != nil {
		return Rules{}, fmt.Errorf("%s: %w", path, err)
	}
	return loaded, nil
}

// Parse reads the text of a configuration.
func Parse(text []byte) (Rules, error) {
	var loaded Rules
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&loaded); err != nil {
		return Rules{}, err
	}
	if decoder.More() {
		return Rules{}, errors.New("something follows the configuration")
	}
	for _, list := range [][]string{loaded.PathsAllowed, loaded.PathsDenied} {
		for index, path := range list {
			if !filepath.IsAbs(path) {
				return Rules{}, fmt.Errorf("%q is not an absolute path", path)
			}
			// A rule names what is there: /bin may be a link to /usr/bin
			if real, err := filepath.EvalSymlinks(path); err == nil {
				path = real
			}
			list[index] = filepath.Clean(path)
		}
	}
	return loaded, nil
}

// AllowsMethod tells whether a method may be called at all.
func (r *Rules) AllowsMethod(name string, changes bool) bool {
	return !(changes && r.ReadOnly) && !contains(r.MethodsDenied, name)
}

// AllowsCommand judges a program by its path, and by the file that the path leads to.
func (r *Rules) AllowsCommand(path string) bool {
	names := []string{path}
	if real, err := filepath.EvalSymlinks(path); err == nil && real != path {
		names = append(names, real)
	}
	matches := func(rule string) bool {
		for _, name := range names {
			if samePath(rule, name) || (!strings.ContainsAny(rule, `/\`) && samePath(rule, filepath.Base(name))) {
				return true
			}
		}
		return false
	}
	for _, rule := range r.CommandsDenied {
		if matches(rule) {
			return false
		}
	}
	for _, rule := range r.CommandsAllowed {
		if matches(rule) {
			return true
		}
	}
	return len(r.CommandsAllowed) == 0
}

// AllowsPath judges a path that is free of links (see Resolve).
func (r *Rules) AllowsPath(path string) bool {
	for _, folder := range r.PathsDenied {
		if within(folder, path) {
			return false
		}
	}
	for _, folder := range r.PathsAllowed {
		if within(folder, path) {
			return true
		}
	}
	return len(r.PathsAllowed) == 0
}

// HidesUnder tells whether something below a path is denied, so that a whole tree must not be touched.
func (r *Rules) HidesUnder(path string) bool {
	for _, folder := range r.PathsDenied {
		if within(path, folder) {
			return true
		}
	}
	return false
}

// Resolve gives the path that a path leads to, links followed; its last part need not exist.
func Resolve(path string) (string, error) {
	if !filepath.IsAbs(path) {
		return "", errors.New("the path must be absolute")
	}
	if strings.IndexByte(path, 0) >= 0 {
		return "", errors.New("the path has a zero byte")
	}
	path = filepath.Clean(path)
	real, err := filepath.EvalSymlinks(path)
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return real, err
	}
	if _, err := os.Lstat(path); err == nil {
		return "", errors.New("the path is a link that leads nowhere")
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, filepath.Base(path)), nil
}

func within(folder, path string) bool {
	if runtime.GOOS == "windows" {
		folder, path = strings.ToLower(folder), strings.ToLower(path)
	}
	return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, string(filepath.Separator))+string(filepath.Separator))
}

func samePath(a, b string) bool {
	if runtime.GOOS == "windows" {
		return strings.EqualFold(strings.TrimSuffix(strings.ToLower(a), ".exe"), strings.TrimSuffix(strings.ToLower(b), ".exe"))
	}
	return a == b
}

func contains(list []string, text string) bool {
	for _, each := range list {
		if each == text {
			return true
		}
	}
	return false
}
