package agent

import (
	"context"
	"net"
	"os"
	"os/exec"
	"sort"
	"strings"
	"sync"
	"time"

	"kvmmanager.org/guest/internal/wire"
)

// GuestInfo is what guest.get_info gives: these fields and no others.
type GuestInfo struct {
	OsType       string   `json:"os_type"`
	OsVersion    string   `json:"os_version"`
	Hostname     string   `json:"hostname"`
	IPAddresses  []string `json:"ip_addresses"`
	AgentVersion string   `json:"agent_version"`
}

func guestInfo(c *call) (any, error) {
	system := readSystem()
	info := GuestInfo{system.OsType, system.OsVersion, system.Hostname, []string{}, c.session.agent.version}
	interfaces, err := readInterfaces()
	if err != nil {
		return nil, err
	}
	for _, each := range interfaces {
		if each.Loopback {
			continue
		}
		for _, address := range each.IPAddresses {
			info.IPAddresses = append(info.IPAddresses, address.Address)
		}
	}
	return info, nil
}

// SystemInfo is what get_system_info gives.
type SystemInfo struct {
	OsType           string `json:"os_type"`
	OsID             string `json:"os_id"`
	OsVersion        string `json:"os_version"`
	OsVersionID      string `json:"os_version_id"`
	KernelVersion    string `json:"kernel_version"`
	Architecture     string `json:"architecture"`
	Hostname         string `json:"hostname"`
	CPUCount         int    `json:"cpu_count"`
	MemoryTotal      uint64 `json:"memory_total"`
	MemoryAvailable  uint64 `json:"memory_available"`
	UptimeSeconds    int64  `json:"uptime_seconds"`
	TimeMs           int64  `json:"time_ms"`
	Timezone         string `json:"timezone"`
	UtcOffsetSeconds int    `json:"utc_offset_seconds"`
	MachineID        string `json:"machine_id"`
}

func systemInfo(*call) (any, error) {
	info := readSystem()
	now := time.Now()
	info.TimeMs = now.UnixMilli()
	info.Timezone, info.UtcOffsetSeconds = now.Zone()
	return info, nil
}

// NetworkInfo is what get_network_info gives.
type NetworkInfo struct {
	Interfaces []Interface `json:"interfaces"`
	Gateways   []string    `json:"gateways"`
	DNSServers []string    `json:"dns_servers"`
}

// Interface is a network interface of the guest.
type Interface struct {
	Name        string    `json:"name"`
	MACAddress  string    `json:"mac_address"`
	Up          bool      `json:"up"`
	Loopback    bool      `json:"loopback"`
	MTU         int       `json:"mtu"`
	IPAddresses []Address `json:"ip_addresses"`
}

// Address is an address with the length of its network's prefix.
type Address struct {
	Address string `json:"address"`
	Prefix  int    `json:"prefix"`
	Family  string `json:"family"`
}

const maxInterfaces, maxAddresses = 256, 64

func readInterfaces() ([]Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	if len(all) > maxInterfaces {
		all = all[:maxInterfaces]
	}
	found := []Interface{}
	for _, each := range all {
		next := Interface{
			Name: each.Name, MACAddress: each.HardwareAddr.String(), MTU: each.MTU, IPAddresses: []Address{},
			Up: each.Flags&net.FlagUp != 0, Loopback: each.Flags&net.FlagLoopback != 0,
		}
		addresses, err := each.Addrs()
		if err != nil {
			continue // it was taken out meanwhile
		}
		for _, address := range addresses {
			network, ok := address.(*net.IPNet)
			if !ok || len(next.IPAddresses) == maxAddresses {
				continue
			}
			family := "ipv6"
			if network.IP.To4() != nil {
				family = "ipv4"
			}
			prefix, _ := network.Mask.Size()
			next.IPAddresses = append(next.IPAddresses, Address{network.IP.String(), prefix, family})
		}
		found = append(found, next)
	}
	return found, nil
}

func networkInfo(*call) (any, error) {
	interfaces, err := readInterfaces()
	if err != nil {
		return nil, err
	}
	return NetworkInfo{interfaces, readGateways(), readDNSServers()}, nil
}

// Filesystem is a mounted file system, in bytes.
type Filesystem struct {
	Device     string `json:"device"`
	MountPoint string `json:"mount_point"`
	Type       string `json:"type"`
	Total      uint64 `json:"total"`
	Used       uint64 `json:"used"`
	Available  uint64 `json:"available"`
	Inodes     uint64 `json:"inodes"`
	InodesFree uint64 `json:"inodes_free"`
	ReadOnly   bool   `json:"read_only"`
}

func diskUsage(*call) (any, error) {
	found, err := readFilesystems()
	return struct {
		Filesystems []Filesystem `json:"filesystems"`
	}{found}, err
}

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

// Service is a unit that the guest's service manager looks after.
type Service struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	// State is running, exited, stopped, failed or changing.
	State string `json:"state"`
	// Startup is enabled, disabled, manual, static, masked, or empty when it is not known.
	Startup string `json:"startup"`
}

const maxServices = 1000

func getServices(c *call) (any, error) {
	if _, err := params[struct{}](c); err != nil {
		return nil, err
	}
	found, err := readServices(c.ctx)
	if err != nil {
		return nil, err
	}
	if len(found) > maxServices {
		found = found[:maxServices]
	}
	return struct {
		Services []Service `json:"services"`
	}{found}, nil
}

func controlService(c *call) (any, error) {
	asked, err := params[struct {
		Name   string `json:"name"`
		Action string `json:"action"`
	}](c)
	if err != nil {
		return nil, err
	}
	switch asked.Action {
	case "start", "stop", "restart", "reload", "enable", "disable":
	default:
		return nil, wire.Fail(wire.InvalidParams, "action is start, stop, restart, reload, enable or disable")
	}
	if asked.Name == "" || len(asked.Name) > 256 || strings.HasPrefix(asked.Name, "-") || strings.ContainsAny(asked.Name, "/\x00\n*?[") {
		return nil, wire.Fail(wire.InvalidParams, "that is no name of a service")
	}
	return Done{true}, setService(c.ctx, asked.Name, asked.Action)
}

// User is somebody who is logged in.
type User struct {
	User     string `json:"user"`
	Terminal string `json:"terminal"`
	From     string `json:"from"`
	LoginMs  int64  `json:"login_ms"`
}

func getUsers(*call) (any, error) {
	found, err := readUsers()
	if len(found) > 500 {
		found = found[:500]
	}
	return struct {
		Users []User `json:"users"`
	}{found}, err
}

// Package is an installed package; Upgrade is the version that waits, empty when there is none.
type Package struct {
	Name         string `json:"name"`
	Version      string `json:"version"`
	Architecture string `json:"architecture"`
	Upgrade      string `json:"upgrade"`
}

// Packages is a page of them. The guest's own lists are read: nothing is downloaded.
type Packages struct {
	Manager  string    `json:"manager"`
	Total    int       `json:"total"`
	Upgrades int       `json:"upgrades"`
	Packages []Package `json:"packages"`
	HasMore  bool      `json:"has_more"`
}

func getPackages(c *call) (any, error) {
	asked, err := params[struct {
		Offset       int  `json:"offset"`
		Limit        int  `json:"limit"`
		UpgradesOnly bool `json:"upgrades_only"`
	}](c)
	if err != nil {
		return nil, err
	}
	if asked.Limit == 0 {
		asked.Limit = 1000
	}
	if asked.Offset < 0 || asked.Limit < 0 || asked.Limit > 1000 {
		return nil, wire.Fail(wire.InvalidParams, "offset is not negative, and limit at most 1000")
	}
	manager, all, err := readPackages(c.ctx)
	if err != nil {
		return nil, err
	}
	found := Packages{Manager: manager, Total: len(all), Packages: []Package{}}
	sort.Slice(all, func(a, b int) bool { return all[a].Name < all[b].Name })
	at := 0
	for _, each := range all {
		if each.Upgrade != "" {
			found.Upgrades++
		} else if asked.UpgradesOnly {
			continue
		}
		if at++; at <= asked.Offset {
			continue
		}
		if len(found.Packages) == asked.Limit {
			found.HasMore = true
			continue
		}
		found.Packages = append(found.Packages, each)
	}
	return found, nil
}

// Security is what protects the guest; what is not known is empty.
type Security struct {
	Selinux          string `json:"selinux"`
	Apparmor         string `json:"apparmor"`
	ApparmorProfiles int    `json:"apparmor_profiles"`
	Lockdown         string `json:"lockdown"`
	SecureBoot       string `json:"secure_boot"`
	RebootRequired   bool   `json:"reboot_required"`
}

func getSecurity(c *call) (any, error) { return readSecurity(c.ctx), nil }

// output runs a program of the guest and gives what it wrote, bounded.
func output(ctx context.Context, name string, args ...string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, path, args...)
	command.Env = append(os.Environ(), "LC_ALL=C", "LANG=C")
	out := &bounded{limit: 8 << 20}
	errors := &bounded{limit: 2000}
	command.Stdout, command.Stderr = out, errors
	if err := command.Run(); err != nil {
		said := strings.TrimSpace(string(errors.held))
		if said == "" {
			said = err.Error()
		}
		return string(out.held), wire.Fail(wire.Failed, name+": "+said)
	}
	return string(out.held), nil
}

type bounded struct {
	held  []byte
	limit int
}

func (b *bounded) Write(data []byte) (int, error) {
	if room := b.limit - len(b.held); room < len(data) {
		b.held = append(b.held, data[:room]...)
	} else {
		b.held = append(b.held, data...)
	}
	return len(data), nil
}
