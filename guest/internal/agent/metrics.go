package agent

import (
	"context"
	"sync"
	"time"

	"kvmmanager.org/guest/internal/wire"
)

// Metrics are figures of the guest; counters count from its start.
type Metrics struct {
	TimeMs      int64            `json:"time_ms"`
	CPUPercent  float64          `json:"cpu_percent"`
	CorePercent []float64        `json:"core_percent"`
	LoadAverage []float64        `json:"load_average"`
	Memory      Memory           `json:"memory"`
	Disks       []DiskCounters   `json:"disks"`
	Networks    []NetworkCounter `json:"networks"`
	Processes   []Process        `json:"processes"`
}

// Memory in bytes.
type Memory struct {
	Total     uint64 `json:"total"`
	Used      uint64 `json:"used"`
	Free      uint64 `json:"free"`
	Available uint64 `json:"available"`
	Buffers   uint64 `json:"buffers"`
	Cached    uint64 `json:"cached"`
	SwapTotal uint64 `json:"swap_total"`
	SwapUsed  uint64 `json:"swap_used"`
}

// DiskCounters of a whole disk, bytes and requests.
type DiskCounters struct {
	Name         string `json:"name"`
	BytesRead    uint64 `json:"bytes_read"`
	BytesWritten uint64 `json:"bytes_written"`
	Reads        uint64 `json:"reads"`
	Writes       uint64 `json:"writes"`
}

// NetworkCounter of an interface.
type NetworkCounter struct {
	Name      string `json:"name"`
	RxBytes   uint64 `json:"rx_bytes"`
	TxBytes   uint64 `json:"tx_bytes"`
	RxPackets uint64 `json:"rx_packets"`
	TxPackets uint64 `json:"tx_packets"`
	RxErrors  uint64 `json:"rx_errors"`
	TxErrors  uint64 `json:"tx_errors"`
	RxDropped uint64 `json:"rx_dropped"`
	TxDropped uint64 `json:"tx_dropped"`
}

const (
	defaultInterval = 200 * time.Millisecond
	longestInterval = 5 * time.Second
	topProcesses    = 10
)

// cpuTimes are busy and all time of each core since the start, the sum of all first; self is what the agent has used of it.
type cpuTimes struct {
	busy, all []uint64
	self      uint64
}

// Reading is what figures are the difference of.
type reading struct {
	at        time.Time
	cpu       cpuTimes
	processes map[int]int64 // CPU of each in milliseconds
}

// kept is the reading that the last answer ended with, so that the work of answering lies before it.
var kept struct {
	sync.Mutex
	last reading
}

// Ages of a kept reading that are used: younger ones say too little, older ones are of another time.
const (
	youngestReading = time.Second
	oldestReading   = time.Minute
)

// usage is the share of the whole, without what the agent itself has used, and that of each core.
func usage(before, after cpuTimes) (whole float64, cores []float64) {
	cores = []float64{}
	for index := range after.all {
		if index >= len(before.all) {
			break // a CPU was plugged in
		}
		busy, all := after.busy[index]-before.busy[index], after.all[index]-before.all[index]
		if index > 0 {
			cores = append(cores, percent(busy, all))
			continue
		}
		self := after.self - before.self
		if after.self < before.self || self > busy {
			self = 0
		}
		whole = percent(busy-self, all-self)
	}
	return whole, cores
}

func percent(busy, all uint64) float64 {
	if all == 0 || busy > all {
		return 0
	}
	return float64(busy*1000/all) / 10
}

func getMetrics(c *call) (any, error) {
	asked, err := params[struct {
		IntervalMs int64 `json:"interval_ms"`
		Processes  *int  `json:"processes"`
	}](c)
	if err != nil {
		return nil, err
	}
	interval, err := intervalOf(asked.IntervalMs)
	if err != nil {
		return nil, err
	}
	top := topProcesses
	if asked.Processes != nil {
		top = *asked.Processes
	}
	if top < 0 || top > 100 {
		return nil, wire.Fail(wire.InvalidParams, "processes is at most 100")
	}
	kept.Lock()
	defer kept.Unlock()
	before, after, err := twoReadings(c.ctx, interval, asked.IntervalMs == 0)
	if err != nil {
		return nil, err
	}
	metrics := Metrics{TimeMs: time.Now().UnixMilli(), Processes: []Process{}}
	metrics.CPUPercent, metrics.CorePercent = usage(before.cpu, after.cpu)
	processes, err := readProcesses()
	if err != nil {
		return nil, err
	}
	kept.last.processes = cpuOfEach(processes)
	if top > 0 {
		shareOut(processes, before.processes, time.Since(before.at))
		metrics.Processes = topOf(processes, "cpu", top)
	}
	metrics.Memory = readMemory()
	metrics.LoadAverage, metrics.Disks, metrics.Networks = readLoad(), readDisks(), readCounters()
	kept.last.cpu, err = readCPU()
	kept.last.at = time.Now()
	return metrics, err
}

// twoReadings are the kept one, where it may be used, and one of now; else two with a pause between, and nothing done in it.
func twoReadings(ctx context.Context, interval time.Duration, mayKeep bool) (before, after reading, err error) {
	before = kept.last
	if age := time.Since(before.at); !mayKeep || age < youngestReading || age > oldestReading {
		var processes []Process
		if processes, err = readProcesses(); err != nil {
			return before, after, err
		}
		before = reading{at: time.Now(), processes: cpuOfEach(processes)}
		if before.cpu, err = readCPU(); err != nil {
			return before, after, err
		}
		if err = pause(ctx, interval); err != nil {
			return before, after, err
		}
	}
	after = reading{at: time.Now()}
	after.cpu, err = readCPU()
	return before, after, err
}

// cpuOfEach is the CPU of each process in milliseconds.
func cpuOfEach(processes []Process) map[int]int64 {
	used := make(map[int]int64, len(processes))
	for _, each := range processes {
		used[each.Pid] = each.CPUMs
	}
	return used
}

// shareOut tells each process what it used of a core since before.
func shareOut(processes []Process, before map[int]int64, took time.Duration) {
	ms := took.Milliseconds()
	for index := range processes {
		each := &processes[index]
		if was, known := before[each.Pid]; known && each.CPUMs >= was && ms > 0 {
			each.CPUPercent = float64((each.CPUMs-was)*1000/ms) / 10
		}
	}
}

func intervalOf(ms int64) (time.Duration, error) {
	interval := time.Duration(ms) * time.Millisecond
	if interval == 0 {
		interval = defaultInterval
	}
	if interval < 0 || interval > longestInterval {
		return 0, wire.Fail(wire.InvalidParams, "interval_ms is at most 5000")
	}
	return interval, nil
}

func pause(ctx context.Context, wait time.Duration) error {
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
