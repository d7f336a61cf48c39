package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"kvmmanager.org/guest/internal/wire"
)

// powerDelay lets an answer get out before the guest ends.
const powerDelay = 300 * time.Millisecond

// beginPower asks whoever is the guest's init; forced, the kernel.
func beginPower(ctx context.Context, again, force bool) error {
	if force {
		time.AfterFunc(powerDelay, func() {
			syscall.Sync()
			how := syscall.LINUX_REBOOT_CMD_POWER_OFF
			if again {
				how = syscall.LINUX_REBOOT_CMD_RESTART
			}
			_ = syscall.Reboot(how)
		})
		return nil
	}
	verb, flag := "poweroff", "-P"
	if again {
		verb, flag = "reboot", "-r"
	}
	if hasSystemd() {
		_, err := output(ctx, "systemctl", "--no-block", verb)
		return err
	}
	for _, way := range [][]string{{"shutdown", flag, "now"}, {verb}} {
		way := way
		if path, err := exec.LookPath(way[0]); err == nil {
			// Without systemd it may be over at once: first the answer has to get out
			time.AfterFunc(powerDelay, func() { _ = exec.Command(path, way[1:]...).Run() })
			return nil
		}
	}
	return wire.Fail(wire.Unsupported, "the guest has none of systemctl, shutdown and "+verb)
}

func changeTime(to time.Time) error {
	value := syscall.NsecToTimeval(to.UnixNano())
	if err := syscall.Settimeofday(&value); err != nil {
		return err
	}
	if path, err := exec.LookPath("hwclock"); err == nil {
		_ = exec.Command(path, "-w").Run() // a guest without a clock of its own is right all the same
	}
	return nil
}

func changePassword(ctx context.Context, name, password string, hashed bool) error {
	if _, err := user.Lookup(name); err != nil {
		return wire.Fail(wire.NotFound, "the guest has no user "+name)
	}
	path, err := exec.LookPath("chpasswd")
	if err != nil {
		return wire.Fail(wire.Unsupported, "the guest has no chpasswd")
	}
	args := []string{}
	if hashed {
		args = append(args, "-e")
	}
	command := exec.CommandContext(ctx, path, args...)
	command.Stdin = strings.NewReader(name + ":" + password + "\n")
	said := &bounded{limit: 500}
	command.Stderr = said
	if err := command.Run(); err != nil {
		return wire.Fail(wire.Failed, "chpasswd: "+strings.TrimSpace(strings.ReplaceAll(string(said.held), password, "…")))
	}
	return nil
}

const maxKeysFile = 256 * 1024

// changeKeys runs this program as the user: links that they may have put into their home then lead nowhere that they could
// not go themselves.
func changeKeys(ctx context.Context, name, action string, keys []string) (any, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.CommandContext(ctx, program, "ssh-keys", action)
	command.Env = []string{"PATH=" + defaultPath}
	if err := runAs(command, name); err != nil {
		return nil, err
	}
	asked, err := json.Marshal(keys)
	if err != nil {
		return nil, err
	}
	out, said := &bounded{limit: maxKeysFile * 2}, &bounded{limit: 500}
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(asked), out, said
	if err := command.Run(); err != nil {
		return nil, wire.Fail(wire.Failed, strings.TrimSpace(string(said.held)))
	}
	list := KeyList{Keys: []string{}}
	return list, json.Unmarshal(out.held, &list.Keys)
}

// ChangeKeysHere is the other side of changeKeys: it is this user, and changes their own file.
func ChangeKeysHere(action string, in io.Reader, out io.Writer) error {
	var asked []string
	if err := json.NewDecoder(io.LimitReader(in, maxKeysFile)).Decode(&asked); err != nil {
		return err
	}
	home := os.Getenv("HOME")
	if home == "" {
		return errors.New("the user has no home")
	}
	folder := filepath.Join(home, ".ssh")
	path := filepath.Join(folder, "authorized_keys")
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(data) > maxKeysFile {
		return errors.New(path + " is too large")
	}
	kept := keysAfter(string(data), action, asked)
	if action != "list" {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path+".new", []byte(strings.Join(append(kept, ""), "\n")), 0o600); err != nil {
			return err
		}
		if err := os.Rename(path+".new", path); err != nil {
			return err
		}
	}
	found := []string{}
	for _, line := range kept {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			found = append(found, line)
		}
	}
	return json.NewEncoder(out).Encode(found)
}

// keysAfter gives a file's lines after a change. A key is known by its data: comments and options differ.
func keysAfter(text, action string, asked []string) []string {
	data := func(line string) string {
		for _, field := range strings.Fields(line) {
			if strings.HasPrefix(field, "AAAA") {
				return field
			}
		}
		return ""
	}
	lines := []string{}
	if text = strings.TrimRight(text, "\n"); text != "" {
		lines = strings.Split(text, "\n")
	}
	has := func(list []string, key string) bool {
		for _, line := range list {
			if data(line) == data(key) {
				return true
			}
		}
		return false
	}
	switch action {
	case "add":
		for _, key := range asked {
			if !has(lines, key) {
				lines = append(lines, strings.TrimSpace(key))
			}
		}
	case "remove":
		kept := []string{}
		for _, line := range lines {
			if data(line) == "" || !has(asked, line) {
				kept = append(kept, line)
			}
		}
		lines = kept
	}
	return lines
}

const (
	fiFreeze = 0xC0045877
	fiThaw   = 0xC0045878
	// frozenFile names what is frozen, in memory, for an agent that is started again after it was killed.
	frozenFile = "/run/kvm-manager-agent.frozen"
)

var errCannotFreeze = errors.New("this file system cannot be frozen")

// freezable gives mount points, the innermost first; a file system that is mounted twice is named once.
func freezable(only []string) ([]string, error) {
	wanted := map[string]bool{}
	for _, point := range only {
		wanted[filepath.Clean(point)] = true
	}
	points, seen := []string{}, map[string]bool{}
	all := mounts()
	for index := len(all) - 1; index >= 0; index-- {
		each := all[index]
		if isVirtual(each.kind) || seen[each.major] || strings.HasPrefix(each.options, "ro") ||
			(len(only) > 0 && !wanted[each.point]) || !strings.HasPrefix(each.device, "/dev/") || strings.HasPrefix(each.device, "/dev/loop") {
			continue
		}
		seen[each.major] = true
		points = append(points, each.point)
		delete(wanted, each.point)
	}
	if len(wanted) > 0 {
		return nil, wire.Fail(wire.InvalidParams, "one of the mount points is none that can be frozen")
	}
	return points, nil
}

func setFrozen(point string, frozen bool) error {
	fd, err := syscall.Open(point, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	how := uintptr(fiThaw)
	if frozen {
		how = fiFreeze
	}
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), how, 0); errno != 0 {
		if frozen && (errno == syscall.EOPNOTSUPP || errno == syscall.ENOTTY) {
			return errCannotFreeze
		}
		return errno
	}
	return nil
}

func remember(points []string) error {
	data, err := json.Marshal(points)
	if err != nil {
		return err
	}
	return os.WriteFile(frozenFile, data, 0o600)
}

func forget() { _ = os.Remove(frozenFile) }

// thawLeftovers thaws what an agent that was killed left frozen.
func (f *freezer) thawLeftovers() {
	data, err := os.ReadFile(frozenFile)
	var points []string
	if err != nil || json.Unmarshal(data, &points) != nil {
		return
	}
	for index := len(points) - 1; index >= 0; index-- {
		if setFrozen(points[index], false) == nil {
			f.log.Printf("thawed %s, which was left frozen", points[index])
		}
	}
	forget()
}
