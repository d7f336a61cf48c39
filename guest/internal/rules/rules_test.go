package rules

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAMistakeIsRefused(t *testing.T) {
	for _, bad := range []string{``, `{`, `[]`, `{"read_onyl":true}`, `{"paths_denied":["etc"]}`, `{"read_only":"yes"}`, `{} {}`} {
		if _, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	if rules, err := Load(filepath.Join(t.TempDir(), "none")); err != nil || rules.ReadOnly {
		t.Error("without a file all is allowed", err)
	}
}

func TestMethodsAndReadOnly(t *testing.T) {
	rules, err := Parse([]byte(`{"read_only":true,"methods_denied":["get_users"]}`))
	if err != nil {
		t.Fatal(err)
	}
	if rules.AllowsMethod("file_write", true) || rules.AllowsMethod("get_users", false) || !rules.AllowsMethod("ping", false) {
		t.Error("wrong methods")
	}
}

func TestCommandsByPathAndName(t *testing.T) {
	folder := t.TempDir()
	real, link := filepath.Join(folder, "real"), filepath.Join(folder, "link")
	if os.WriteFile(real, nil, 0o755) != nil || os.Symlink(real, link) != nil {
		t.Fatal("no files")
	}
	allowed := Rules{CommandsAllowed: []string{real}}
	denied := Rules{CommandsDenied: []string{"real"}}
	for path, want := range map[string]bool{real: true, link: true, "/bin/sh": false} {
		if allowed.AllowsCommand(path) != want {
			t.Errorf("allowed: %s", path)
		}
		if denied.AllowsCommand(path) == want {
			t.Errorf("denied: %s", path)
		}
	}
}

func TestPathsAreJudgedWhereTheyLead(t *testing.T) {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	secret, open := filepath.Join(folder, "secret"), filepath.Join(folder, "open")
	if os.Mkdir(secret, 0o755) != nil || os.Mkdir(open, 0o755) != nil || os.Symlink(secret, filepath.Join(open, "in")) != nil {
		t.Fatal("no folders")
	}
	rules := Rules{PathsAllowed: []string{folder}, PathsDenied: []string{secret}}
	for path, want := range map[string]bool{
		open + "/x": true, open + "/in/x": false, open + "/../secret/x": false, secret: false, folder + "x": false, "/": false,
	} {
		real, err := Resolve(path)
		if err == nil && rules.AllowsPath(real) != want {
			t.Errorf("%s is %s: %v", path, real, !want)
		}
	}
	if !rules.HidesUnder(folder) || rules.HidesUnder(open) {
		t.Error("what is hidden under a folder")
	}
	for _, bad := range []string{"relative", "", "/a\x00b"} {
		if _, err := Resolve(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
