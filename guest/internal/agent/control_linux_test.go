package agent

import "testing"

func TestKeysOfAFile(t *testing.T) {
	one, two := "ssh-ed25519 AAAAone a", "ssh-rsa AAAAtwo b"
	file := "# mine\n" + `from="10.0.0.1" ` + one + "\n"
	if lines := keysAfter(file, "add", []string{one, two}); len(lines) != 3 || lines[2] != two {
		t.Error(lines)
	}
	if lines := keysAfter(file, "remove", []string{one}); len(lines) != 1 || lines[0] != "# mine" {
		t.Error(lines)
	}
	for line, want := range map[string]bool{one: true, "ssh-rsa": false, "ssh-rsa AAAA\nx": false, `command="x" ` + one: false, "ssh-rsa BBBB": false} {
		if IsPublicKey(line) != want {
			t.Errorf("%q: %v", line, !want)
		}
	}
}

func TestListsOfTheGuestsPrograms(t *testing.T) {
	units := parseUnits("ssh.service loaded active running OpenBSD Secure Shell server\ngone.service not-found inactive dead gone.service\n"+
		"bad.service loaded failed failed Bad\n", map[string]string{"ssh.service": "enabled"})
	if len(units) != 2 || units[0] != (Service{"ssh", "OpenBSD Secure Shell server", "running", "enabled"}) || units[1].State != "failed" {
		t.Error(units)
	}
	if waiting := parseAptUpgrades("Inst libc6 [2.36-9] (2.36-10 Debian:12/stable [amd64])\nInst new (1.0 Debian [amd64])\nConf libc6 (2.36-10)"); len(waiting) != 1 || waiting["libc6"] != "2.36-10" {
		t.Error(waiting)
	}
	if found := parseApk("musl-utils-1.2.4-r2 x86_64 {musl} (MIT) [installed]"); len(found) != 1 || found[0].Name != "musl-utils" || found[0].Version != "1.2.4-r2" {
		t.Error(found)
	}
}
