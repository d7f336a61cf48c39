package agent

import (
	"context"
	"sort"
	"time"

	"kvmmanager.org/guest/internal/wire"
)

// Process is a process of the guest.
type Process struct {
	Pid        int     `json:"pid"`
	ParentPid  int     `json:"parent_pid"`
	Name       string  `json:"name"`
	Command    string  `json:"command"`
	User       string  `json:"user"`
	State      string  `json:"state"`
	CPUPercent float64 `json:"cpu_percent"`
	CPUMs      int64   `json:"cpu_ms"`
	Memory     uint64  `json:"memory"`
	Threads    int     `json:"threads"`
}

func getProcesses(c *call) (any, error) {
	asked, err := params[struct {
		Sort       string `json:"sort"`
		Limit      int    `json:"limit"`
		IntervalMs int64  `json:"interval_ms"`
	}](c)
	if err != nil {
		return nil, err
	}
	interval, err := intervalOf(asked.IntervalMs)
	if err != nil {
		return nil, err
	}
	if asked.Limit == 0 {
		asked.Limit = 500
	}
	if asked.Limit < 0 || asked.Limit > 500 || !(asked.Sort == "" || asked.Sort == "cpu" || asked.Sort == "memory" || asked.Sort == "pid") {
		return nil, wire.Fail(wire.InvalidParams, "limit is at most 500, and sort is cpu, memory or pid")
	}
	all, err := sampleProcesses(c.ctx, interval)
	if err != nil {
		return nil, err
	}
	return struct {
		Total     int       `json:"total"`
		Processes []Process `json:"processes"`
	}{len(all), topOf(all, asked.Sort, asked.Limit)}, nil
}

// sampleProcesses looks twice: CPU is what was used between.
func sampleProcesses(ctx context.Context, interval time.Duration) ([]Process, error) {
	first, err := readProcesses()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := pause(ctx, interval); err != nil {
		return nil, err
	}
	second, err := readProcesses()
	shareOut(second, cpuOfEach(first), time.Since(began))
	return second, err
}

func topOf(all []Process, by string, limit int) []Process {
	sort.SliceStable(all, func(a, b int) bool {
		switch by {
		case "cpu":
			if all[a].CPUPercent != all[b].CPUPercent {
				return all[a].CPUPercent > all[b].CPUPercent
			}
			return all[a].CPUMs > all[b].CPUMs
		case "memory":
			return all[a].Memory > all[b].Memory
		}
		return all[a].Pid < all[b].Pid
	})
	if len(all) > limit {
		all = all[:limit]
	}
	return all
}
