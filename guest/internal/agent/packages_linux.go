package agent

import (
	"context"
	"strings"

	"kvmmanager.org/guest/internal/wire"
)

func readPackages(ctx context.Context) (string, []Package, error) {
	switch {
	case hasProgram("dpkg-query"):
		return debianPackages(ctx)
	case hasProgram("rpm"):
		return rpmPackages(ctx)
	case hasProgram("apk"):
		return listed(ctx, "apk", []string{"list", "--installed"}, parseApk)
	case hasProgram("pacman"):
		return listed(ctx, "pacman", []string{"-Q"}, parsePacman)
	}
	return "", nil, wire.Fail(wire.Unsupported, "the guest has none of dpkg, rpm, apk and pacman")
}

func listed(ctx context.Context, program string, args []string, parse func(string) []Package) (string, []Package, error) {
	text, err := output(ctx, program, args...)
	return program, parse(text), err
}

func tabbed(text string) []Package {
	found := []Package{}
	for _, line := range strings.Split(text, "\n") {
		if fields := strings.Split(line, "\t"); len(fields) == 3 {
			found = append(found, Package{Name: fields[0], Version: fields[1], Architecture: fields[2]})
		}
	}
	return found
}

func upgrade(packages []Package, versions map[string]string) []Package {
	for index := range packages {
		packages[index].Upgrade = versions[packages[index].Name]
	}
	return packages
}

func debianPackages(ctx context.Context) (string, []Package, error) {
	text, err := output(ctx, "dpkg-query", "-W", "-f", "${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\n")
	if err != nil {
		return "", nil, err
	}
	var installed strings.Builder
	for _, line := range strings.Split(text, "\n") {
		if status, rest, ok := strings.Cut(line, "\t"); ok && strings.HasPrefix(status, "ii") {
			installed.WriteString(rest + "\n")
		}
	}
	found := tabbed(installed.String())
	waiting, err := output(ctx, "apt-get", "-s", "-o", "Debug::NoLocking=1", "dist-upgrade")
	if err != nil {
		return "dpkg", found, nil // a guest without apt, or whose lists are broken, still has packages
	}
	return "dpkg", upgrade(found, parseAptUpgrades(waiting)), nil
}

// parseAptUpgrades reads "Inst libc6 [2.36-9] (2.36-10 Debian:12/stable [amd64])".
func parseAptUpgrades(text string) map[string]string {
	found := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) >= 4 && fields[0] == "Inst" && strings.HasPrefix(fields[2], "[") {
			found[fields[1]] = strings.TrimPrefix(fields[3], "(")
		}
	}
	return found
}

func rpmPackages(ctx context.Context) (string, []Package, error) {
	text, err := output(ctx, "rpm", "-qa", "--qf", `%{NAME}\t%{VERSION}-%{RELEASE}\t%{ARCH}\n`)
	if err != nil {
		return "", nil, err
	}
	found, versions := tabbed(text), map[string]string{}
	if hasProgram("dnf") {
		// Its exit status is 100 when updates wait, which is no failure
		waiting, _ := output(ctx, "dnf", "--cacheonly", "--quiet", "check-update")
		for _, line := range strings.Split(waiting, "\n") {
			if fields := strings.Fields(line); len(fields) == 3 {
				if dot := strings.LastIndexByte(fields[0], '.'); dot > 0 {
					versions[fields[0][:dot]] = fields[1]
				}
			}
		}
	}
	return "rpm", upgrade(found, versions), nil
}

// parseApk reads "musl-1.2.4-r2 x86_64 {musl} (MIT) [installed]".
func parseApk(text string) []Package {
	found := []Package{}
	for _, line := range strings.Split(text, "\n") {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		parts := strings.Split(fields[0], "-")
		if len(parts) < 3 {
			continue
		}
		last := len(parts) - 2
		found = append(found, Package{Name: strings.Join(parts[:last], "-"), Version: strings.Join(parts[last:], "-"), Architecture: fields[1]})
	}
	return found
}

func parsePacman(text string) []Package {
	found := []Package{}
	for _, line := range strings.Split(text, "\n") {
		if fields := strings.Fields(line); len(fields) == 2 {
			found = append(found, Package{Name: fields[0], Version: fields[1]})
		}
	}
	return found
}
