package agent

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"kvmmanager.org/guest/internal/wire"
)

var (
	advapi32 = syscall.NewLazyDLL("advapi32.dll")
	iphlpapi = syscall.NewLazyDLL("iphlpapi.dll")
	wtsapi32 = syscall.NewLazyDLL("wtsapi32.dll")
	ntdll    = syscall.NewLazyDLL("ntdll.dll")

	globalMemoryStatusEx  = kernel32.NewProc("GlobalMemoryStatusEx")
	getTickCount64        = kernel32.NewProc("GetTickCount64")
	getSystemTimes        = kernel32.NewProc("GetSystemTimes")
	getLogicalDrives      = kernel32.NewProc("GetLogicalDrives")
	getDriveType          = kernel32.NewProc("GetDriveTypeW")
	getVolumeInformation  = kernel32.NewProc("GetVolumeInformationW")
	getIfTable            = iphlpapi.NewProc("GetIfTable")
	openSCManager         = advapi32.NewProc("OpenSCManagerW")
	enumServicesStatusEx  = advapi32.NewProc("EnumServicesStatusExW")
	closeServiceHandle    = advapi32.NewProc("CloseServiceHandle")
	wtsEnumerateSessions  = wtsapi32.NewProc("WTSEnumerateSessionsW")
	wtsQuerySessionInfo   = wtsapi32.NewProc("WTSQuerySessionInformationW")
	wtsFreeMemory         = wtsapi32.NewProc("WTSFreeMemory")
	rtlGetNtVersionNumber = ntdll.NewProc("RtlGetNtVersionNumbers")
)

// wide reads a string of Windows that ends with a zero.
func wide(at unsafe.Pointer) string {
	if at == nil {
		return ""
	}
	letters := []uint16{}
	for ; len(letters) < 32_768; at = unsafe.Add(at, 2) {
		letter := *(*uint16)(at)
		if letter == 0 {
			break
		}
		letters = append(letters, letter)
	}
	return syscall.UTF16ToString(letters)
}

// registry reads a text of the registry; one that is not there is empty.
func registry(path, name string) string {
	var key syscall.Handle
	folder, err := syscall.UTF16PtrFromString(path)
	if err != nil || syscall.RegOpenKeyEx(syscall.HKEY_LOCAL_MACHINE, folder, 0, syscall.KEY_READ|0x100, &key) != nil {
		return ""
	}
	defer syscall.RegCloseKey(key)
	value, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return ""
	}
	var kind, size uint32
	var held [2048]byte
	size = uint32(len(held) - 2)
	if syscall.RegQueryValueEx(key, value, nil, &kind, &held[0], &size) != nil {
		return ""
	}
	if kind == syscall.REG_DWORD {
		return strconv.FormatUint(uint64(*(*uint32)(unsafe.Pointer(&held[0]))), 10)
	}
	return wide(unsafe.Pointer(&held[0]))
}

func hasKey(path string) bool {
	var key syscall.Handle
	folder, err := syscall.UTF16PtrFromString(path)
	if err != nil || syscall.RegOpenKeyEx(syscall.HKEY_LOCAL_MACHINE, folder, 0, syscall.KEY_READ|0x100, &key) != nil {
		return false
	}
	_ = syscall.RegCloseKey(key)
	return true
}

const currentVersion = `SOFTWARE\Microsoft\Windows NT\CurrentVersion`

func readSystem() SystemInfo {
	var major, minor, build uint32
	_, _, _ = rtlGetNtVersionNumber.Call(uintptr(unsafe.Pointer(&major)), uintptr(unsafe.Pointer(&minor)), uintptr(unsafe.Pointer(&build)))
	build &= 0xFFFF
	kernel := strconv.Itoa(int(major)) + "." + strconv.Itoa(int(minor)) + "." + strconv.Itoa(int(build))
	product := registry(currentVersion, "ProductName")
	if build >= 22000 { // Windows 11 calls itself 10 there
		product = strings.Replace(product, "Windows 10", "Windows 11", 1)
	}
	if product == "" {
		product = "Windows"
	}
	memory := readMemory()
	ms, _, _ := getTickCount64.Call()
	info := SystemInfo{
		OsType: "windows", OsID: "windows", OsVersion: product, OsVersionID: registry(currentVersion, "DisplayVersion"),
		KernelVersion: kernel, Architecture: architecture(), CPUCount: runtime.NumCPU(),
		MemoryTotal: memory.Total, MemoryAvailable: memory.Available, UptimeSeconds: int64(ms / 1000),
		MachineID: registry(`SOFTWARE\Microsoft\Cryptography`, "MachineGuid"),
	}
	info.Hostname, _ = os.Hostname() // empty when there is none
	return info
}

func readMemory() Memory {
	var status struct {
		length, load                                               uint32
		total, available, pageTotal, pageFree, virtual, free, more uint64
	}
	status.length = uint32(unsafe.Sizeof(status))
	if ok, _, _ := globalMemoryStatusEx.Call(uintptr(unsafe.Pointer(&status))); ok == 0 {
		return Memory{}
	}
	memory := Memory{Total: status.total, Free: status.available, Available: status.available, Used: status.total - status.available}
	if status.pageTotal > status.total {
		memory.SwapTotal = status.pageTotal - status.total
	}
	return memory
}

func readCPU() (cpuTimes, error) {
	var idle, kernel, user syscall.Filetime
	ok, _, err := getSystemTimes.Call(uintptr(unsafe.Pointer(&idle)), uintptr(unsafe.Pointer(&kernel)), uintptr(unsafe.Pointer(&user)))
	if ok == 0 {
		return cpuTimes{}, err
	}
	units := func(time syscall.Filetime) uint64 { return uint64(time.HighDateTime)<<32 | uint64(time.LowDateTime) }
	all := units(kernel) + units(user) // the kernel's time has the idle time in it
	return cpuTimes{[]uint64{all - units(idle)}, []uint64{all}, selfTime(units)}, nil
}

// selfTime is the processor time of this process, in units of 100 ns; 0 where it cannot be told.
func selfTime(units func(syscall.Filetime) uint64) uint64 {
	process, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0
	}
	var created, ended, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(process, &created, &ended, &kernel, &user); err != nil {
		return 0
	}
	return units(kernel) + units(user)
}

func readLoad() []float64 { return []float64{} }

func readDisks() []DiskCounters { return []DiskCounters{} }

// ifRow is MIB_IFROW.
type ifRow struct {
	name                                                                    [256]uint16
	index, kind, mtu, speed, addressLength                                  uint32
	address                                                                 [8]byte
	admin, oper, lastChange                                                 uint32
	inOctets, inUnicast, inOther, inDiscards, inErrors, inUnknown           uint32
	outOctets, outUnicast, outOther, outDiscards, outErrors, outQueueLength uint32
	descriptionLength                                                       uint32
	description                                                             [256]byte
}

func readCounters() []NetworkCounter {
	found := []NetworkCounter{}
	size := uint32(256 * 1024)
	table := make([]byte, size)
	if code, _, _ := getIfTable.Call(uintptr(unsafe.Pointer(&table[0])), uintptr(unsafe.Pointer(&size)), 0); code != 0 {
		return found
	}
	count := *(*uint32)(unsafe.Pointer(&table[0]))
	for index := uint32(0); index < count && index < maxInterfaces; index++ {
		at := 4 + uintptr(index)*unsafe.Sizeof(ifRow{})
		if at+unsafe.Sizeof(ifRow{}) > uintptr(len(table)) {
			break
		}
		row := (*ifRow)(unsafe.Pointer(&table[at]))
		length := row.descriptionLength
		if length > 256 {
			length = 256
		}
		found = append(found, NetworkCounter{
			Name:    strings.ToValidUTF8(strings.TrimRight(string(row.description[:length]), "\x00"), "?"),
			RxBytes: uint64(row.inOctets), RxPackets: uint64(row.inUnicast), RxErrors: uint64(row.inErrors), RxDropped: uint64(row.inDiscards),
			TxBytes: uint64(row.outOctets), TxPackets: uint64(row.outUnicast), TxErrors: uint64(row.outErrors), TxDropped: uint64(row.outDiscards),
		})
	}
	return found
}

func readGateways() []string   { return []string{} }
func readDNSServers() []string { return []string{} }

func readFilesystems() ([]Filesystem, error) {
	found := []Filesystem{}
	drives, _, _ := getLogicalDrives.Call()
	for letter := 0; letter < 26; letter++ {
		if drives&(1<<letter) == 0 {
			continue
		}
		root := string(rune('A'+letter)) + `:\`
		path, err := syscall.UTF16PtrFromString(root)
		if err != nil {
			continue
		}
		const fixed, removable = 3, 2
		if kind, _, _ := getDriveType.Call(uintptr(unsafe.Pointer(path))); kind != fixed && kind != removable {
			continue // one over a network may hang
		}
		available, total, free, ok := spaceOf(root)
		if !ok || total == 0 {
			continue
		}
		var name [64]uint16
		var flags uint32
		_, _, _ = getVolumeInformation.Call(uintptr(unsafe.Pointer(path)), 0, 0, 0, 0, uintptr(unsafe.Pointer(&flags)),
			uintptr(unsafe.Pointer(&name[0])), uintptr(len(name)))
		const readOnlyVolume = 0x80000
		found = append(found, Filesystem{
			Device: root[:2], MountPoint: root, Type: strings.ToLower(syscall.UTF16ToString(name[:])),
			Total: total, Used: total - free, Available: available, ReadOnly: flags&readOnlyVolume != 0,
		})
	}
	return found, nil
}

func readProcesses() ([]Process, error) {
	snapshot, err := syscall.CreateToolhelp32Snapshot(syscall.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return nil, err
	}
	defer syscall.CloseHandle(snapshot)
	var entry syscall.ProcessEntry32
	entry.Size = uint32(unsafe.Sizeof(entry))
	found := []Process{}
	for err = syscall.Process32First(snapshot, &entry); err == nil; err = syscall.Process32Next(snapshot, &entry) {
		name := syscall.UTF16ToString(entry.ExeFile[:])
		found = append(found, Process{
			Pid: int(entry.ProcessID), ParentPid: int(entry.ParentProcessID), Name: name, Command: name,
			State: "running", Threads: int(entry.Threads), CPUMs: cpuOf(entry.ProcessID),
		})
	}
	return found, nil
}

func cpuOf(pid uint32) int64 {
	const queryLimited = 0x1000
	handle, err := syscall.OpenProcess(queryLimited, false, pid)
	if err != nil {
		return 0
	}
	defer syscall.CloseHandle(handle)
	var created, exited, kernel, user syscall.Filetime
	if syscall.GetProcessTimes(handle, &created, &exited, &kernel, &user) != nil {
		return 0
	}
	units := func(time syscall.Filetime) int64 { return int64(time.HighDateTime)<<32 | int64(time.LowDateTime) }
	return (units(kernel) + units(user)) / 10_000
}

// serviceStatus is ENUM_SERVICE_STATUS_PROCESSW.
type serviceStatus struct {
	name, description                                                  *uint16
	kind, state, accepted, code, special, checkPoint, wait, pid, flags uint32
	_                                                                  uint32
}

func readServices(context.Context) ([]Service, error) {
	const connectAndEnumerate, ownAndShared, all, infoProcess = 0x5, 0x30, 0x3, 0
	manager, _, err := openSCManager.Call(0, 0, connectAndEnumerate)
	if manager == 0 {
		return nil, err
	}
	defer closeServiceHandle.Call(manager)
	var needed, count, resume uint32
	buffer := make([]byte, 256*1024)
	for round := 0; round < 2; round++ {
		ok, _, failure := enumServicesStatusEx.Call(manager, infoProcess, ownAndShared, all, uintptr(unsafe.Pointer(&buffer[0])),
			uintptr(len(buffer)), uintptr(unsafe.Pointer(&needed)), uintptr(unsafe.Pointer(&count)), uintptr(unsafe.Pointer(&resume)), 0)
		if ok != 0 {
			break
		}
		const moreData = syscall.Errno(234)
		if failure != moreData || round > 0 || needed > 16<<20 {
			return nil, failure
		}
		buffer, resume = make([]byte, len(buffer)+int(needed)), 0
	}
	states := map[uint32]string{1: "stopped", 4: "running"}
	found := []Service{}
	for index := uint32(0); index < count; index++ {
		status := (*serviceStatus)(unsafe.Add(unsafe.Pointer(&buffer[0]), uintptr(index)*unsafe.Sizeof(serviceStatus{})))
		state, known := states[status.state]
		if !known {
			state = "changing"
		}
		found = append(found, Service{
			Name: wide(unsafe.Pointer(status.name)), Description: wide(unsafe.Pointer(status.description)), State: state,
		})
	}
	return found, nil
}

func setService(ctx context.Context, name, action string) error {
	var err error
	switch action {
	case "start", "stop":
		_, err = output(ctx, "sc.exe", action, name)
	case "restart":
		if _, err = output(ctx, "net.exe", "stop", name, "/y"); err == nil {
			_, err = output(ctx, "net.exe", "start", name)
		}
	case "enable":
		_, err = output(ctx, "sc.exe", "config", name, "start=", "auto")
	case "disable":
		_, err = output(ctx, "sc.exe", "config", name, "start=", "disabled")
	default:
		err = wire.Fail(wire.Unsupported, "Windows does not reload services")
	}
	return err
}

func readUsers() ([]User, error) {
	type session struct {
		id      uint32
		station *uint16
		state   uint32
	}
	var sessions unsafe.Pointer
	var count uint32
	ok, _, err := wtsEnumerateSessions.Call(0, 0, 1, uintptr(unsafe.Pointer(&sessions)), uintptr(unsafe.Pointer(&count)))
	if ok == 0 {
		return nil, err
	}
	defer wtsFreeMemory.Call(uintptr(sessions))
	found := []User{}
	for index := uint32(0); index < count && index < 1000; index++ {
		each := (*session)(unsafe.Add(sessions, uintptr(index)*unsafe.Sizeof(session{})))
		const userName, clientName = 5, 10
		if name := sessionText(each.id, userName); name != "" {
			found = append(found, User{User: name, Terminal: wide(unsafe.Pointer(each.station)), From: sessionText(each.id, clientName)})
		}
	}
	return found, nil
}

func sessionText(id uint32, what uintptr) string {
	var text unsafe.Pointer
	var size uint32
	if ok, _, _ := wtsQuerySessionInfo.Call(0, uintptr(id), what, uintptr(unsafe.Pointer(&text)), uintptr(unsafe.Pointer(&size))); ok == 0 {
		return ""
	}
	defer wtsFreeMemory.Call(uintptr(text))
	return wide(text)
}

func readPackages(context.Context) (string, []Package, error) {
	return "", nil, wire.Fail(wire.Unsupported, "on Windows packages are not listed")
}

func readSecurity(context.Context) Security {
	found := Security{Selinux: "unsupported", Apparmor: "unsupported", SecureBoot: "disabled"}
	if registry(`SYSTEM\CurrentControlSet\Control\SecureBoot\State`, "UEFISecureBootEnabled") == "1" {
		found.SecureBoot = "enabled"
	}
	found.RebootRequired = hasKey(`SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired`) ||
		hasKey(`SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending`)
	return found
}
