package agent

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

const (
	noFollow    = syscall.O_NOFOLLOW
	nonBlocking = syscall.O_NONBLOCK
)

// pathOf gives where an open file is.
func pathOf(file *os.File) string {
	raw, err := file.SyscallConn()
	if err != nil {
		return ""
	}
	path := ""
	_ = raw.Control(func(fd uintptr) { path, err = os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)) })
	if err != nil {
		return ""
	}
	return path
}

// owners looks names up once.
type owners struct{ users, groups map[uint32]string }

func (o *owners) of(info os.FileInfo) (string, string) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", ""
	}
	if o.users == nil {
		o.users, o.groups = map[uint32]string{}, map[uint32]string{}
	}
	name, known := o.users[stat.Uid]
	if !known {
		name = strconv.FormatUint(uint64(stat.Uid), 10)
		if account, err := user.LookupId(name); err == nil {
			name = account.Username
		}
		o.users[stat.Uid] = name
	}
	group, known := o.groups[stat.Gid]
	if !known {
		group = strconv.FormatUint(uint64(stat.Gid), 10)
		if account, err := user.LookupGroupId(group); err == nil {
			group = account.Name
		}
		o.groups[stat.Gid] = group
	}
	return name, group
}

// ownAs gives a file the owner of the one it replaces.
func ownAs(file *os.File, like os.FileInfo) error {
	stat, ok := like.Sys().(*syscall.Stat_t)
	if !ok || (int(stat.Uid) == os.Geteuid() && int(stat.Gid) == os.Getegid()) {
		return nil
	}
	return file.Chown(int(stat.Uid), int(stat.Gid))
}

func freeBytes(folder string) (int64, bool) {
	var stat syscall.Statfs_t
	if syscall.Statfs(folder, &stat) != nil {
		return 0, false
	}
	return int64(stat.Bavail) * stat.Bsize, true
}
