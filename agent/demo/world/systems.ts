/** Operating systems of the demo's guests, as libosinfo and their agents call them. */

export interface DemoSystem {
  /** libosinfo's id. */
  readonly libosinfo: string;
  readonly family: "linux" | "windows" | "other";
  /** As the guest's agent tells it. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly kernel: string;
  /** File systems: where they are mounted, their type, the share of the disk that they are. */
  readonly filesystems: readonly (readonly [mountpoint: string, type: string, share: number])[];
}

const LINUX = [["/", "ext4", 0.94], ["/boot/efi", "vfat", 0.01]] as const;
const WINDOWS = [["C:\\", "NTFS", 0.98]] as const;

export const SYSTEMS = {
  debian12: {
    libosinfo: "http://debian.org/debian/12",
    family: "linux",
    id: "debian",
    name: "Debian GNU/Linux 12 (bookworm)",
    version: "12",
    kernel: "6.1.0-37-amd64",
    filesystems: LINUX,
  },
  ubuntu2404: {
    libosinfo: "http://ubuntu.com/ubuntu/24.04",
    family: "linux",
    id: "ubuntu",
    name: "Ubuntu 24.04.3 LTS",
    version: "24.04",
    kernel: "6.8.0-71-generic",
    filesystems: LINUX,
  },
  rocky9: {
    libosinfo: "http://rockylinux.org/rocky/9",
    family: "linux",
    id: "rocky",
    name: "Rocky Linux 9.6 (Blue Onyx)",
    version: "9.6",
    kernel: "5.14.0-570.el9.x86_64",
    filesystems: [["/", "xfs", 0.93], ["/boot", "xfs", 0.02]],
  },
  freebsd14: {
    libosinfo: "http://freebsd.org/freebsd/14.2",
    family: "other",
    id: "freebsd",
    name: "FreeBSD 14.2-RELEASE",
    version: "14.2",
    kernel: "14.2-RELEASE-p3",
    filesystems: [["/", "ufs", 0.9]],
  },
  win2022: {
    libosinfo: "http://microsoft.com/win/2k22",
    family: "windows",
    id: "mswindows",
    name: "Windows Server 2022 Standard",
    version: "2022",
    kernel: "20348",
    filesystems: WINDOWS,
  },
  win11: {
    libosinfo: "http://microsoft.com/win/11",
    family: "windows",
    id: "mswindows",
    name: "Windows 11 Pro",
    version: "11",
    kernel: "26100",
    filesystems: WINDOWS,
  },
} as const satisfies Record<string, DemoSystem>;

export type SystemName = keyof typeof SYSTEMS;
