package agent

import (
	"context"
	"os"
	"os/exec"
	"strings"

	"kvmmanager.org/guest/internal/wire"
)

func noServiceManager() error {
	return wire.Fail(wire.Unsupported, "the guest has neither systemd nor OpenRC")
}

func hasSystemd() bool {
	_, err := os.Stat("/run/systemd/system")
	return err == nil
}

func hasProgram(name string) bool {
	_, err := exec.LookPath(name)
	return err == nil
}

func readServices(ctx context.Context) ([]Service, error) {
	switch {
	case hasSystemd():
		return systemdServices(ctx)
	case hasProgram("rc-status"):
		return openrcServices(ctx)
	}
	return nil, noServiceManager()
}

func systemdServices(ctx context.Context) ([]Service, error) {
	startup := map[string]string{}
	files, err := output(ctx, "systemctl", "list-unit-files", "--type=service", "--no-legend", "--no-pager", "--plain")
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Split(files, "\n") {
		if fields := strings.Fields(line); len(fields) >= 2 {
			startup[fields[0]] = fields[1]
		}
	}
	units, err := output(ctx, "systemctl", "list-units", "--type=service", "--all", "--no-legend", "--no-pager", "--plain", "--full")
	if err != nil {
		return nil, err
	}
	return parseUnits(units, startup), nil
}

func parseUnits(text string, startup map[string]string) []Service {
	found := []Service{}
	for _, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[1] == "not-found" {
			continue
		}
		service := Service{Name: strings.TrimSuffix(fields[0], ".service"), Startup: startup[fields[0]], State: "changing"}
		service.Description = strings.Join(fields[4:], " ")
		switch {
		case fields[2] == "failed":
			service.State = "failed"
		case fields[2] == "active" && fields[3] == "running":
			service.State = "running"
		case fields[2] == "active":
			service.State = "exited"
		case fields[2] == "inactive":
			service.State = "stopped"
		}
		found = append(found, service)
	}
	return found
}

func openrcServices(ctx context.Context) ([]Service, error) {
	status, err := output(ctx, "rc-status", "--servicelist", "--format", "ini")
	if err != nil {
		return nil, err
	}
	found := []Service{}
	for _, line := range strings.Split(status, "\n") {
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		state := map[string]string{"started": "running", "stopped": "stopped", "crashed": "failed"}[strings.TrimSpace(value)]
		if state == "" {
			state = "changing"
		}
		found = append(found, Service{Name: strings.TrimSpace(name), State: state})
	}
	return found, nil
}

func setService(ctx context.Context, name, action string) error {
	var err error
	switch {
	case hasSystemd():
		_, err = output(ctx, "systemctl", action, "--", name)
	case hasProgram("rc-service") && action == "enable":
		_, err = output(ctx, "rc-update", "add", name)
	case hasProgram("rc-service") && action == "disable":
		_, err = output(ctx, "rc-update", "del", name)
	case hasProgram("rc-service"):
		_, err = output(ctx, "rc-service", name, action)
	default:
		err = noServiceManager()
	}
	return err
}
