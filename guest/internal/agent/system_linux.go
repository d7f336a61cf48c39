package agent

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// text reads a small file; one that cannot be read is empty.
func text(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	held := make([]byte, 256*1024)
	count, _ := readAll(file, held)
	return string(held[:count])
}

func readAll(file *os.File, into []byte) (int, error) {
	at := 0
	for at < len(into) {
		count, err := file.Read(into[at:])
		at += count
		if err != nil {
			return at, err
		}
	}
	return at, nil
}

func lines(path string) []string { return strings.Split(strings.TrimSuffix(text(path), "\n"), "\n") }

// assignments reads NAME=value lines, as os-release(5) has them.
func assignments(path string) map[string]string {
	found := map[string]string{}
	for _, line := range lines(path) {
		if name, value, ok := strings.Cut(line, "="); ok {
			found[name] = strings.Trim(value, `"'`)
		}
	}
	return found
}

func readSystem() SystemInfo {
	release := assignments("/etc/os-release")
	if len(release) == 0 {
		release = assignments("/usr/lib/os-release")
	}
	info := SystemInfo{
		OsType: "linux", OsID: release["ID"], OsVersion: release["PRETTY_NAME"], OsVersionID: release["VERSION_ID"],
		KernelVersion: strings.TrimSpace(text("/proc/sys/kernel/osrelease")), Architecture: architecture(),
		CPUCount: runtime.NumCPU(), MachineID: strings.TrimSpace(text("/etc/machine-id")),
	}
	if info.OsVersion == "" {
		info.OsVersion = "Linux"
	}
	info.Hostname, _ = os.Hostname() // empty when there is none
	if seconds, _, ok := strings.Cut(text("/proc/uptime"), "."); ok {
		info.UptimeSeconds, _ = strconv.ParseInt(seconds, 10, 64)
	}
	memory := readMemory()
	info.MemoryTotal, info.MemoryAvailable = memory.Total, memory.Available
	return info
}

func readMemory() Memory {
	values := map[string]uint64{}
	for _, line := range lines("/proc/meminfo") {
		fields := strings.Fields(line)
		if len(fields) >= 2 {
			kib, err := strconv.ParseUint(fields[1], 10, 64)
			if err == nil {
				values[strings.TrimSuffix(fields[0], ":")] = kib * 1024
			}
		}
	}
	memory := Memory{
		Total: values["MemTotal"], Free: values["MemFree"], Available: values["MemAvailable"], Buffers: values["Buffers"],
		Cached: values["Cached"] + values["SReclaimable"], SwapTotal: values["SwapTotal"],
	}
	if memory.Total >= memory.Available {
		memory.Used = memory.Total - memory.Available
	}
	if memory.SwapTotal >= values["SwapFree"] {
		memory.SwapUsed = memory.SwapTotal - values["SwapFree"]
	}
	return memory
}

func readCPU() (cpuTimes, error) {
	var times cpuTimes
	for _, line := range lines("/proc/stat") {
		fields := strings.Fields(line)
		if len(fields) < 6 || !strings.HasPrefix(fields[0], "cpu") {
			continue
		}
		var sum, idle uint64
		for index, field := range fields[1:] {
			value, err := strconv.ParseUint(field, 10, 64)
			if err != nil || index > 7 { // guest time is within user time
				break
			}
			sum += value
			if index == 3 || index == 4 {
				idle += value
			}
		}
		times.busy, times.all = append(times.busy, sum-idle), append(times.all, sum)
	}
	if len(times.all) == 0 {
		return times, errors.New("/proc/stat cannot be read")
	}
	times.self = selfTicks(text("/proc/self/stat"))
	return times, nil
}

// selfTicks is the time in user and system that a line of /proc/PID/stat tells.
func selfTicks(stat string) uint64 {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseUint(fields[11], 10, 64)
	system, _ := strconv.ParseUint(fields[12], 10, 64)
	return user + system
}

func readLoad() []float64 {
	load := []float64{}
	for _, field := range strings.Fields(text("/proc/loadavg")) {
		value, err := strconv.ParseFloat(field, 64)
		if err != nil || len(load) == 3 {
			break
		}
		load = append(load, value)
	}
	return load
}

const maxDisks = 256

func readDisks() []DiskCounters {
	disks := []DiskCounters{}
	for _, line := range lines("/proc/diskstats") {
		fields := strings.Fields(line)
		if len(fields) < 10 || len(disks) == maxDisks {
			continue
		}
		name := fields[2]
		// Whole disks that are one: partitions have no folder here, ram and loop devices no device
		if _, err := os.Stat("/sys/block/" + name + "/device"); err != nil {
			continue
		}
		number := func(at int) uint64 { value, _ := strconv.ParseUint(fields[at], 10, 64); return value }
		disks = append(disks, DiskCounters{name, number(5) * 512, number(9) * 512, number(3), number(7)})
	}
	return disks
}

func readCounters() []NetworkCounter {
	counters := []NetworkCounter{}
	for _, line := range lines("/proc/net/dev") {
		name, rest, ok := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		if !ok || len(fields) < 12 || len(counters) == maxInterfaces {
			continue
		}
		number := func(at int) uint64 { value, _ := strconv.ParseUint(fields[at], 10, 64); return value }
		counters = append(counters, NetworkCounter{
			Name: strings.TrimSpace(name), RxBytes: number(0), RxPackets: number(1), RxErrors: number(2), RxDropped: number(3),
			TxBytes: number(8), TxPackets: number(9), TxErrors: number(10), TxDropped: number(11),
		})
	}
	return counters
}

func readGateways() []string {
	found := []string{}
	for _, line := range lines("/proc/net/route") {
		fields := strings.Fields(line)
		if len(fields) > 7 && fields[1] == "00000000" && fields[7] == "00000000" {
			if value, err := strconv.ParseUint(fields[2], 16, 32); err == nil && value != 0 {
				var address [4]byte
				binary.LittleEndian.PutUint32(address[:], uint32(value))
				found = append(found, net.IP(address[:]).String())
			}
		}
	}
	for _, line := range lines("/proc/net/ipv6_route") {
		fields := strings.Fields(line)
		if len(fields) > 4 && fields[1] == "00" && strings.Trim(fields[0], "0") == "" && strings.Trim(fields[4], "0") != "" {
			address := make(net.IP, 0, 16)
			for at := 0; at+2 <= len(fields[4]); at += 2 {
				value, err := strconv.ParseUint(fields[4][at:at+2], 16, 8)
				if err != nil {
					break
				}
				address = append(address, byte(value))
			}
			if len(address) == 16 {
				found = append(found, address.String())
			}
		}
	}
	return found
}

func readDNSServers() []string {
	found := []string{}
	for _, line := range lines("/etc/resolv.conf") {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == "nameserver" && len(found) < 16 {
			found = append(found, fields[1])
		}
	}
	return found
}

// mount is a line of mountinfo.
type mount struct{ device, point, kind, options, major string }

// mounts gives what is mounted from something that holds files: kernel's own file systems are left out.
func mounts() []mount {
	found := []mount{}
	for _, line := range lines("/proc/self/mountinfo") {
		before, after, ok := strings.Cut(line, " - ")
		first, second := strings.Fields(before), strings.Fields(after)
		if !ok || len(first) < 6 || len(second) < 2 {
			continue
		}
		found = append(found, mount{unescape(second[1]), unescape(first[4]), second[0], first[5], first[2]})
	}
	return found
}

// unescape undoes the octal escapes of mountinfo.
func unescape(text string) string {
	var out strings.Builder
	for at := 0; at < len(text); at++ {
		if text[at] == '\\' && at+4 <= len(text) {
			if value, err := strconv.ParseUint(text[at+1:at+4], 8, 8); err == nil {
				out.WriteByte(byte(value))
				at += 3
				continue
			}
		}
		out.WriteByte(text[at])
	}
	return out.String()
}

// virtual file systems hold no files of their own. Those over a network are left out as well: one whose server is gone
// would keep who asks.
var virtual = map[string]bool{
	"proc": true, "sysfs": true, "devtmpfs": true, "devpts": true, "tmpfs": true, "ramfs": true, "rootfs": true, "cgroup": true,
	"cgroup2": true, "securityfs": true, "debugfs": true, "tracefs": true, "pstore": true, "bpf": true, "mqueue": true,
	"hugetlbfs": true, "configfs": true, "fusectl": true, "autofs": true, "binfmt_misc": true, "efivarfs": true, "nsfs": true,
	"rpc_pipefs": true, "selinuxfs": true, "squashfs": true, "iso9660": true, "overlay": true,
	"nfs": true, "nfs4": true, "cifs": true, "smb3": true, "ceph": true, "9p": true, "virtiofs": true, "glusterfs": true, "fuse": true,
}

func isVirtual(kind string) bool { return virtual[kind] || strings.HasPrefix(kind, "fuse.") }

const maxFilesystems = 256

func readFilesystems() ([]Filesystem, error) {
	found, seen := []Filesystem{}, map[string]bool{}
	for _, each := range mounts() {
		root := each.point == "/" && each.kind != "rootfs"
		if (isVirtual(each.kind) && !root) || seen[each.major] || len(found) == maxFilesystems {
			continue
		}
		var stat syscall.Statfs_t
		if err := syscall.Statfs(each.point, &stat); err != nil || stat.Blocks == 0 {
			continue
		}
		seen[each.major] = true
		size := uint64(stat.Bsize)
		found = append(found, Filesystem{
			Device: each.device, MountPoint: each.point, Type: each.kind,
			Total: stat.Blocks * size, Used: (stat.Blocks - stat.Bfree) * size, Available: stat.Bavail * size,
			Inodes: stat.Files, InodesFree: stat.Ffree, ReadOnly: strings.HasPrefix(each.options, "ro"),
		})
	}
	return found, nil
}

// ticks of the kernel's clock a second, as it tells programs: 100 on all that Go knows.
const ticks = 100

const maxProcesses = 32_768

func readProcesses() ([]Process, error) {
	folder, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	names, err := folder.Readdirnames(maxProcesses)
	if err != nil {
		return nil, err
	}
	page := uint64(os.Getpagesize())
	var names2 owners
	found := []Process{}
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat := text("/proc/" + name + "/stat")
		open, end := strings.IndexByte(stat, '('), strings.LastIndexByte(stat, ')')
		if open < 0 || end < open {
			continue // it has ended
		}
		fields := strings.Fields(stat[end+1:])
		if len(fields) < 22 {
			continue
		}
		number := func(at int) uint64 { value, _ := strconv.ParseUint(fields[at], 10, 64); return value }
		process := Process{
			Pid: pid, ParentPid: int(number(1)), Name: strings.ToValidUTF8(stat[open+1:end], "?"), State: stateOf(fields[0]),
			CPUMs: int64((number(11) + number(12)) * 1000 / ticks), Threads: int(number(17)), Memory: number(21) * page,
		}
		if info, err := os.Stat("/proc/" + name); err == nil {
			process.User, _ = names2.of(info)
		}
		process.Command = commandOf(text("/proc/" + name + "/cmdline"))
		found = append(found, process)
	}
	return found, nil
}

func commandOf(line string) string {
	line = strings.ToValidUTF8(strings.ReplaceAll(strings.TrimRight(line, "\x00"), "\x00", " "), "?")
	if len(line) > 300 {
		line = strings.ToValidUTF8(line[:300], "") + "…"
	}
	return line
}

func stateOf(letter string) string {
	states := map[string]string{"R": "running", "S": "sleeping", "D": "waiting", "Z": "zombie", "T": "stopped", "t": "stopped", "I": "idle"}
	if state, known := states[letter]; known {
		return state
	}
	return "other"
}

func readUsers() ([]User, error) {
	if found := logindUsers("/run/systemd/sessions"); found != nil {
		return found, nil
	}
	for _, path := range []string{"/run/utmp", "/var/run/utmp"} {
		if data, err := os.ReadFile(path); err == nil {
			return parseUtmp(data), nil
		}
	}
	return []User{}, nil
}

// logindUsers reads what logind keeps of sessions; nil where there is none.
func logindUsers(folder string) []User {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	found := []User{}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".ref") {
			continue
		}
		session := assignments(filepath.Join(folder, entry.Name()))
		if class := session["CLASS"]; !strings.HasPrefix(class, "user") || session["STATE"] == "closing" {
			continue
		}
		user := User{User: session["USER"], Terminal: session["TTY"], From: session["REMOTE_HOST"]}
		if micros, err := strconv.ParseInt(session["REALTIME"], 10, 64); err == nil {
			user.LoginMs = micros / 1000
		}
		found = append(found, User{userName(user.User), user.Terminal, user.From, user.LoginMs})
	}
	return found
}

// userName gives a number its name: old versions of logind keep names, new ones numbers as well.
func userName(text string) string {
	if _, err := strconv.Atoi(text); err == nil {
		if account, err := user.LookupId(text); err == nil {
			return account.Username
		}
	}
	return text
}

// parseUtmp reads utmp(5). On 64-bit ARM its times are longer than on x86.
func parseUtmp(data []byte) []User {
	size, timeAt := 384, 340
	if runtime.GOARCH == "arm64" {
		size, timeAt = 400, 344
	}
	const userProcess = 7
	field := func(bytes_ []byte) string {
		text, _, _ := bytes.Cut(bytes_, []byte{0})
		return strings.ToValidUTF8(string(text), "?")
	}
	found := []User{}
	for ; len(data) >= size; data = data[size:] {
		if binary.LittleEndian.Uint16(data) != userProcess {
			continue
		}
		seconds := int64(int32(binary.LittleEndian.Uint32(data[timeAt:])))
		found = append(found, User{field(data[44:76]), field(data[8:40]), field(data[76:332]), seconds * 1000})
	}
	return found
}

func readSecurity(context.Context) Security {
	var found Security
	switch strings.TrimSpace(text("/sys/fs/selinux/enforce")) {
	case "1":
		found.Selinux = "enforcing"
	case "0":
		found.Selinux = "permissive"
	default:
		found.Selinux = "disabled"
	}
	found.Apparmor = "disabled"
	if strings.HasPrefix(text("/sys/module/apparmor/parameters/enabled"), "Y") {
		found.Apparmor = "enabled"
		found.ApparmorProfiles = strings.Count(text("/sys/kernel/security/apparmor/profiles"), "\n")
	}
	// "none [integrity] confidentiality"
	if _, rest, ok := strings.Cut(text("/sys/kernel/security/lockdown"), "["); ok {
		found.Lockdown, _, _ = strings.Cut(rest, "]")
	}
	found.SecureBoot = "unsupported"
	if variables, _ := filepath.Glob("/sys/firmware/efi/efivars/SecureBoot-*"); len(variables) > 0 {
		found.SecureBoot = "disabled"
		if value := text(variables[0]); len(value) == 5 && value[4] == 1 {
			found.SecureBoot = "enabled"
		}
	}
	_, err := os.Stat("/run/reboot-required")
	found.RebootRequired = err == nil
	return found
}
