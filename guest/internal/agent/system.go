package agent

import (
	"context"
	"net"
	"os"
	"os/exec"
	"sort"
	"strings"
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
