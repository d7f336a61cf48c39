package agent

import (
	"os"
	"os/exec"
	"strconv"

	"kvmmanager.org/guest/internal/wire"
)

// runAs runs commands as the service does: on Windows another user's password is needed to become that user.
func runAs(_ *exec.Cmd, name string) error {
	if name != "" {
		return wire.Fail(wire.Unsupported, "on Windows commands run as the service's account")
	}
	return nil
}

func killTree(command *exec.Cmd) {
	_ = exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(command.Process.Pid)).Run()
	_ = command.Process.Kill()
}

func howItEnded(state *os.ProcessState) (code int, signal string) { return state.ExitCode(), "" }
