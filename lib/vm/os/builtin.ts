/** Operating systems known without the osinfo database: what people install most. */
import type { OperatingSystem } from "../../contract/create.ts";
import { osDefaults, type OsTraits } from "./traits.ts";

/** id, libosinfo's id, name, family, version, and what suits it. */
type Row = readonly [
  id: string,
  uri: string,
  name: string,
  family: string,
  version: string,
  traits: OsTraits,
];

const linux = (minimumMemoryMb: number, minimumDiskGb: number, more: Partial<OsTraits> = {}): OsTraits => ({
  hardware: "virtio",
  minimumMemoryMb,
  minimumDiskGb,
  ...more,
});
const windows = (minimumMemoryMb: number, minimumDiskGb: number, more: Partial<OsTraits> = {}): OsTraits => ({
  hardware: "common",
  minimumMemoryMb,
  minimumDiskGb,
  memoryMb: 4096,
  diskSizeGb: 40,
  localClock: true,
  ...more,
});
/** Windows 11 installs on nothing less. */
const WINDOWS_11 = { firmware: "uefi-secure", tpm: true } as const;
const desktop = { memoryMb: 4096, diskSizeGb: 25 } as const;

const ROWS: readonly Row[] = [
  ["linux2022", "http://libosinfo.org/linux/2022", "Generic Linux", "linux", "2022", linux(512, 5)],
  ["unknown", "http://libosinfo.org/unknown", "Other operating system", "unknown", "", {
    hardware: "common",
  }],
  ["debian13", "http://debian.org/debian/13", "Debian 13", "linux", "13", linux(1024, 10)],
  ["debian12", "http://debian.org/debian/12", "Debian 12", "linux", "12", linux(1024, 10)],
  ["debian11", "http://debian.org/debian/11", "Debian 11", "linux", "11", linux(1024, 10)],
  [
    "ubuntu24.04",
    "http://ubuntu.com/ubuntu/24.04",
    "Ubuntu 24.04 LTS",
    "linux",
    "24.04",
    linux(2048, 10, desktop),
  ],
  [
    "ubuntu22.04",
    "http://ubuntu.com/ubuntu/22.04",
    "Ubuntu 22.04 LTS",
    "linux",
    "22.04",
    linux(2048, 10, desktop),
  ],
  [
    "ubuntu20.04",
    "http://ubuntu.com/ubuntu/20.04",
    "Ubuntu 20.04 LTS",
    "linux",
    "20.04",
    linux(2048, 10, desktop),
  ],
  [
    "fedora42",
    "http://fedoraproject.org/fedora/42",
    "Fedora Linux 42",
    "linux",
    "42",
    linux(2048, 15, desktop),
  ],
  [
    "fedora41",
    "http://fedoraproject.org/fedora/41",
    "Fedora Linux 41",
    "linux",
    "41",
    linux(2048, 15, desktop),
  ],
  [
    "rhel10.0",
    "http://redhat.com/rhel/10.0",
    "Red Hat Enterprise Linux 10",
    "linux",
    "10.0",
    linux(2048, 10),
  ],
  ["rhel9.0", "http://redhat.com/rhel/9.0", "Red Hat Enterprise Linux 9", "linux", "9.0", linux(1536, 10)],
  ["rocky9", "http://rockylinux.org/rocky/9", "Rocky Linux 9", "linux", "9", linux(1536, 10)],
  ["almalinux9", "http://almalinux.org/almalinux/9", "AlmaLinux 9", "linux", "9", linux(1536, 10)],
  ["centos-stream9", "http://centos.org/centos-stream/9", "CentOS Stream 9", "linux", "9", linux(1536, 10)],
  [
    "opensuse15.6",
    "http://opensuse.org/opensuse/15.6",
    "openSUSE Leap 15.6",
    "linux",
    "15.6",
    linux(1024, 10),
  ],
  ["archlinux", "http://archlinux.org/archlinux/rolling", "Arch Linux", "linux", "rolling", linux(512, 5)],
  [
    "alpinelinux3.20",
    "http://alpinelinux.org/alpinelinux/3.20",
    "Alpine Linux 3.20",
    "linux",
    "3.20",
    linux(128, 1, {
      memoryMb: 512,
      diskSizeGb: 8,
    }),
  ],
  ["freebsd14.0", "http://freebsd.org/freebsd/14.0", "FreeBSD 14", "freebsd", "14.0", linux(512, 5)],
  ["openbsd7.5", "http://openbsd.org/openbsd/7.5", "OpenBSD 7.5", "openbsd", "7.5", linux(512, 5)],
  [
    "win11",
    "http://microsoft.com/win/11",
    "Microsoft Windows 11",
    "winnt",
    "11.0",
    windows(4096, 64, WINDOWS_11),
  ],
  ["win10", "http://microsoft.com/win/10", "Microsoft Windows 10", "winnt", "10.0", windows(2048, 20)],
  [
    "win2k25",
    "http://microsoft.com/win/2k25",
    "Microsoft Windows Server 2025",
    "winnt",
    "10.0",
    windows(2048, 32, {
      firmware: "uefi-secure",
      tpm: true,
    }),
  ],
  [
    "win2k22",
    "http://microsoft.com/win/2k22",
    "Microsoft Windows Server 2022",
    "winnt",
    "10.0",
    windows(2048, 32),
  ],
  [
    "win2k19",
    "http://microsoft.com/win/2k19",
    "Microsoft Windows Server 2019",
    "winnt",
    "10.0",
    windows(2048, 32),
  ],
];

/** `winnt` → windows; kernels that are no Linux are others. */
export function osTypeOf(family: string): OperatingSystem["osType"] {
  if (family === "linux") return "linux";
  return /^(winnt|win9x|win16)$/.test(family) ? "windows" : "other";
}

/** The built-in table. */
export const BUILTIN_SYSTEMS: readonly OperatingSystem[] = ROWS.map((
  [id, uri, name, family, version, traits],
) => ({
  id,
  uri,
  name,
  osType: osTypeOf(family),
  family,
  ...(version !== "" && { version }),
  defaults: osDefaults(traits),
}));

/** System without a version, by kind. */
export const GENERIC = { linux: "linux2022", windows: "win10", other: "unknown" } as const;
