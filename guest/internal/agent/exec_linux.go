package agent

import (
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"

	"kvmmanager.org/guest/internal/wire"
)

// runAs lets a command run as somebody, in a group of its own, so that all it starts can be ended with it.
func runAs(command *exec.Cmd, name string) error {
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if name == "" {
		return nil
	}
	account, err := user.Lookup(name)
	if err != nil {
		return wire.Fail(wire.NotFound, "the guest has no user "+name)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return err
	}
	credential := &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	names, err := account.GroupIds()
	if err != nil {
		return err
	}
	for _, text := range names {
		if group, err := strconv.ParseUint(text, 10, 32); err == nil {
			credential.Groups = append(credential.Groups, uint32(group))
		}
	}
	if int(uid) != os.Getuid() {
		command.SysProcAttr.Credential = credential
	}
	command.Env = append(command.Env, "HOME="+account.HomeDir, "USER="+account.Username, "LOGNAME="+account.Username)
	if command.Dir == "" {
		command.Dir = account.HomeDir
	}
	if _, err := os.Stat(command.Dir); err != nil {
		command.Dir = "/"
	}
	return nil
}

// killTree ends a command and what it has started.
func killTree(command *exec.Cmd) {
	_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
	_ = command.Process.Kill()
}

// howItEnded is an exit status as a shell has it: a signal counts from 128.
func howItEnded(state *os.ProcessState) (code int, signal string) {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), status.Signal().String()
	}
	return state.ExitCode(), ""
}
