package agent

import (
	"encoding/base64"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sort"
	"unicode/utf8"

	"kvmmanager.org/guest/internal/rules"
	"kvmmanager.org/guest/internal/wire"
)

// place judges a path and gives where it leads.
func (a *Agent) place(path string) (string, error) {
	if path == "" {
		return "", wire.Fail(wire.InvalidParams, "path is missing")
	}
	real, err := rules.Resolve(path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		return "", wire.Fail(wire.InvalidParams, err.Error())
	}
	if !a.rules.AllowsPath(real) {
		return "", wire.Fail(wire.Denied, "the agent's configuration does not allow "+real)
	}
	return real, nil
}

// placeOfLink is place, but the last part is taken as it is: what is done to a link is done to itself.
func (a *Agent) placeOfLink(path string) (string, error) {
	if path == "" || !filepath.IsAbs(path) {
		return "", wire.Fail(wire.InvalidParams, "the path must be absolute")
	}
	path = filepath.Clean(path)
	if filepath.Dir(path) == path {
		return path, nil
	}
	folder, err := a.place(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	real := filepath.Join(folder, filepath.Base(path))
	if !a.rules.AllowsPath(real) {
		return "", wire.Fail(wire.Denied, "the agent's configuration does not allow "+real)
	}
	return real, nil
}

// openRegular opens a file for reading. A pipe or a device would keep who opens it, and is refused.
func (a *Agent) openRegular(path string) (*os.File, os.FileInfo, error) {
	real, err := a.place(path)
	if err != nil {
		return nil, nil, err
	}
	file, err := os.OpenFile(real, os.O_RDONLY|noFollow|nonBlocking, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = wire.Fail(wire.Failed, real+" is not a regular file")
	}
	if err == nil {
		err = a.stillAllowed(file)
	}
	if err != nil {
		_ = file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

// stillAllowed judges an open file by where it is now: between the look and the opening a link may have been put there.
func (a *Agent) stillAllowed(file *os.File) error {
	if real := pathOf(file); real != "" && !a.rules.AllowsPath(real) {
		return wire.Fail(wire.Denied, "the agent's configuration does not allow "+real)
	}
	return nil
}

// FilePart is what file_read gives.
type FilePart struct {
	Offset int64  `json:"offset"`
	EOF    bool   `json:"eof"`
	Size   int64  `json:"size"`
	Data   []byte `json:"data"`
}

func fileRead(c *call) (any, error) {
	asked, err := params[struct {
		Path   string `json:"path"`
		Offset int64  `json:"offset"`
		Length int64  `json:"length"`
	}](c)
	if err != nil {
		return nil, err
	}
	if asked.Length == 0 {
		asked.Length = wire.MaxChunk
	}
	if asked.Offset < 0 || asked.Length < 0 || asked.Length > wire.MaxChunk {
		return nil, wire.Fail(wire.InvalidParams, "offset is not negative, and length at most 262144")
	}
	file, info, err := c.session.agent.openRegular(asked.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data := make([]byte, asked.Length)
	count, err := file.ReadAt(data, asked.Offset)
	if err != nil && err != io.EOF {
		return nil, err
	}
	return FilePart{asked.Offset, err == io.EOF, info.Size(), data[:count]}, nil
}

// Written is what file_write has done.
type Written struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

func fileWrite(c *call) (any, error) {
	asked, err := params[struct {
		Path   string  `json:"path"`
		Data   *[]byte `json:"data"`
		Append bool    `json:"append"`
		Mode   *uint32 `json:"mode"`
	}](c)
	if err != nil {
		return nil, err
	}
	if asked.Data == nil || len(*asked.Data) > wire.MaxChunk {
		return nil, wire.Fail(wire.InvalidParams, "data is missing, or has more than 262144 bytes")
	}
	a := c.session.agent
	if asked.Append {
		return a.appendTo(asked.Path, *asked.Data)
	}
	written, err := a.beginFile(asked.Path, asked.Mode, true)
	if err != nil {
		return nil, err
	}
	if _, err = written.file.Write(*asked.Data); err == nil {
		err = written.commit()
	}
	if err != nil {
		written.discard()
		return nil, err
	}
	return Written{written.final, int64(len(*asked.Data))}, nil
}

func (a *Agent) appendTo(path string, data []byte) (any, error) {
	real, err := a.place(path)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(real, os.O_WRONLY|os.O_APPEND|os.O_CREATE|noFollow|nonBlocking, 0o644)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, wire.Fail(wire.Failed, real+" is not a regular file")
	}
	if err := a.stillAllowed(file); err != nil {
		return nil, err
	}
	if _, err := file.Write(data); err != nil {
		return nil, err
	}
	return Written{real, info.Size() + int64(len(data))}, nil
}

// Entry is a file as file_list and file_stat tell it.
type Entry struct {
	Name string `json:"name"`
	// NameBytes is the name where it is not UTF-8; Name then is only for reading.
	NameBytes  string `json:"name_bytes,omitempty"`
	Type       string `json:"type"`
	Size       int64  `json:"size"`
	Mode       uint32 `json:"mode"`
	ModifiedMs int64  `json:"modified_ms"`
	User       string `json:"user"`
	Group      string `json:"group"`
	// Target is what a link names.
	Target string `json:"target,omitempty"`
}

func entryOf(path string, info os.FileInfo, owners *owners) Entry {
	entry := Entry{
		Name: info.Name(), Type: typeOf(info.Mode()), Size: info.Size(), Mode: modeOf(info.Mode()),
		ModifiedMs: info.ModTime().UnixMilli(),
	}
	if !utf8.ValidString(entry.Name) {
		entry.NameBytes = base64.StdEncoding.EncodeToString([]byte(entry.Name))
	}
	entry.User, entry.Group = owners.of(info)
	if entry.Type == "link" {
		entry.Target, _ = os.Readlink(path) // one that cannot be read names nothing
	}
	return entry
}

func typeOf(mode os.FileMode) string {
	switch {
	case mode.IsRegular():
		return "file"
	case mode.IsDir():
		return "directory"
	case mode&os.ModeSymlink != 0:
		return "link"
	case mode&os.ModeNamedPipe != 0:
		return "pipe"
	case mode&os.ModeSocket != 0:
		return "socket"
	case mode&os.ModeDevice != 0:
		return "device"
	}
	return "other"
}

// modeOf gives permissions as chmod(1) has them.
func modeOf(mode os.FileMode) uint32 {
	bits := uint32(mode.Perm())
	for flag, bit := range map[os.FileMode]uint32{os.ModeSetuid: 0o4000, os.ModeSetgid: 0o2000, os.ModeSticky: 0o1000} {
		if mode&flag != 0 {
			bits |= bit
		}
	}
	return bits
}

func fileModeOf(bits uint32) os.FileMode {
	mode := os.FileMode(bits & 0o777)
	for flag, bit := range map[os.FileMode]uint32{os.ModeSetuid: 0o4000, os.ModeSetgid: 0o2000, os.ModeSticky: 0o1000} {
		if bits&bit != 0 {
			mode |= flag
		}
	}
	return mode
}

const (
	// maxNames is how many names of a folder are read; maxEntries how many are told at a time.
	maxNames   = 50_000
	maxEntries = 500
)

// Listing is a page of a folder.
type Listing struct {
	Path    string  `json:"path"`
	Entries []Entry `json:"entries"`
	// Total is how many there are; a folder that has more than are read says so.
	Total    int  `json:"total"`
	HasMore  bool `json:"has_more"`
	TooLarge bool `json:"too_large"`
}

func fileList(c *call) (any, error) {
	asked, err := params[struct {
		Path   string `json:"path"`
		Offset int    `json:"offset"`
		Limit  int    `json:"limit"`
	}](c)
	if err != nil {
		return nil, err
	}
	if asked.Limit == 0 {
		asked.Limit = maxEntries
	}
	if asked.Offset < 0 || asked.Limit < 0 || asked.Limit > maxEntries {
		return nil, wire.Fail(wire.InvalidParams, "offset is not negative, and limit at most 500")
	}
	real, err := c.session.agent.place(asked.Path)
	if err != nil {
		return nil, err
	}
	folder, err := os.OpenFile(real, os.O_RDONLY|noFollow|nonBlocking, 0)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	if err := c.session.agent.stillAllowed(folder); err != nil {
		return nil, err
	}
	names, err := folder.Readdirnames(maxNames + 1)
	if err != nil && err != io.EOF {
		return nil, err
	}
	listing := Listing{Path: real, Entries: []Entry{}, TooLarge: len(names) > maxNames}
	if listing.TooLarge {
		names = names[:maxNames]
	}
	sort.Strings(names)
	listing.Total = len(names)
	var owners owners
	bytes := 0
	for index := asked.Offset; index < len(names); index++ {
		if len(listing.Entries) == asked.Limit || bytes > wire.MaxLine/4 {
			listing.HasMore = true
			break
		}
		path := filepath.Join(real, names[index])
		if !c.session.agent.rules.AllowsPath(path) {
			listing.Entries = append(listing.Entries, Entry{Name: names[index], Type: "denied"})
			continue
		}
		info, err := os.Lstat(path)
		if err != nil {
			listing.Entries = append(listing.Entries, Entry{Name: names[index], Type: "gone"})
			continue
		}
		entry := entryOf(path, info, &owners)
		bytes += 200 + len(entry.Name) + len(entry.NameBytes) + len(entry.Target)
		listing.Entries = append(listing.Entries, entry)
	}
	return listing, nil
}

func fileStat(c *call) (any, error) {
	asked, err := params[struct {
		Path   string `json:"path"`
		Follow bool   `json:"follow"`
	}](c)
	if err != nil {
		return nil, err
	}
	find := c.session.agent.placeOfLink
	if asked.Follow {
		find = c.session.agent.place
	}
	real, err := find(asked.Path)
	if err != nil {
		return nil, err
	}
	info, err := os.Lstat(real)
	if err != nil {
		return nil, err
	}
	return entryOf(real, info, &owners{}), nil
}

// Done is the answer of what has nothing to tell.
type Done struct {
	Done bool `json:"done"`
}

func fileMakeDirectory(c *call) (any, error) {
	asked, err := params[struct {
		Path    string  `json:"path"`
		Mode    *uint32 `json:"mode"`
		Parents bool    `json:"parents"`
	}](c)
	if err != nil {
		return nil, err
	}
	a := c.session.agent
	if asked.Parents {
		if err := a.makeParents(asked.Path); err != nil {
			return nil, err
		}
	}
	real, err := a.place(asked.Path)
	if err != nil {
		return nil, err
	}
	err = os.Mkdir(real, 0o755)
	if errors.Is(err, os.ErrExist) && asked.Parents {
		if info, statErr := os.Stat(real); statErr == nil && info.IsDir() {
			err = nil
		}
	}
	if err == nil && asked.Mode != nil {
		err = os.Chmod(real, fileModeOf(*asked.Mode))
	}
	return Done{true}, err
}

// makeParents makes the folders above a path, each judged by itself.
func (a *Agent) makeParents(path string) error {
	if !filepath.IsAbs(path) {
		return wire.Fail(wire.InvalidParams, "the path must be absolute")
	}
	folder := filepath.Dir(filepath.Clean(path))
	if _, err := os.Stat(folder); err == nil || filepath.Dir(folder) == folder {
		return nil
	}
	if err := a.makeParents(folder); err != nil {
		return err
	}
	real, err := a.place(folder)
	if err != nil {
		return err
	}
	return os.Mkdir(real, 0o755)
}

func fileRemove(c *call) (any, error) {
	asked, err := params[struct {
		Path      string `json:"path"`
		Recursive bool   `json:"recursive"`
	}](c)
	if err != nil {
		return nil, err
	}
	a := c.session.agent
	real, err := a.placeOfLink(asked.Path)
	if err != nil {
		return nil, err
	}
	if filepath.Dir(real) == real {
		return nil, wire.Fail(wire.InvalidParams, "the root is not removed")
	}
	if !asked.Recursive {
		return Done{true}, os.Remove(real)
	}
	if a.rules.HidesUnder(real) {
		return nil, wire.Fail(wire.Denied, "the agent's configuration does not allow something below "+real)
	}
	if _, err := os.Lstat(real); err != nil {
		return nil, err
	}
	return Done{true}, os.RemoveAll(real)
}

func fileRename(c *call) (any, error) {
	asked, err := params[struct {
		From string `json:"from"`
		To   string `json:"to"`
	}](c)
	if err != nil {
		return nil, err
	}
	a := c.session.agent
	from, err := a.placeOfLink(asked.From)
	if err != nil {
		return nil, err
	}
	to, err := a.placeOfLink(asked.To)
	if err != nil {
		return nil, err
	}
	if a.rules.HidesUnder(from) || a.rules.HidesUnder(to) {
		return nil, wire.Fail(wire.Denied, "the agent's configuration does not allow something below it")
	}
	return Done{true}, os.Rename(from, to)
}
