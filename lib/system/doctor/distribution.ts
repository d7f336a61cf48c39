/** Commands on the distributions that people use. Source: os-release(5). */

/** How a distribution installs packages. */
export type DistributionFamily = "debian" | "fedora" | "suse" | "arch" | "other";

const FAMILIES: Readonly<Record<string, DistributionFamily>> = {
  debian: "debian",
  ubuntu: "debian",
  fedora: "fedora",
  rhel: "fedora",
  centos: "fedora",
  suse: "suse",
  opensuse: "suse",
  arch: "arch",
};

/** The family of a host. @param release content of /etc/os-release */
export function familyOf(release: string): DistributionFamily {
  const field = (name: string) =>
    new RegExp(`^${name}=(.*)$`, "m").exec(release)?.[1]?.trim().replaceAll(/^["']|["']$/g, "") ?? "";
  const names = [field("ID"), ...field("ID_LIKE").split(/\s+/)].map((name) => name.split("-")[0] ?? "");
  for (const name of names) if (Object.hasOwn(FAMILIES, name)) return FAMILIES[name]!;
  return "other";
}

/** Parts that a host may lack, by what packages call them. */
const PACKAGES = {
  libvirt: {
    debian: "libvirt-daemon-system libvirt-clients",
    fedora: "libvirt-daemon-kvm libvirt-client",
    suse: "libvirt-daemon-qemu libvirt-client",
    arch: "libvirt",
  },
  qemu: {
    debian: "qemu-system-x86 qemu-utils",
    fedora: "qemu-kvm qemu-img",
    suse: "qemu-kvm qemu-img",
    arch: "qemu-base",
  },
  qemuImg: { debian: "qemu-utils", fedora: "qemu-img", suse: "qemu-img", arch: "qemu-base" },
  nftables: {
    debian: "nftables iproute2",
    fedora: "nftables iproute",
    suse: "nftables iproute2",
    arch: "nftables iproute2",
  },
  dnsmasq: { debian: "dnsmasq-base", fedora: "dnsmasq", suse: "dnsmasq", arch: "dnsmasq" },
  lockd: {
    debian: "libvirt-daemon",
    fedora: "libvirt-daemon-lock libvirt-daemon-plugin-lockd",
    suse: "libvirt-daemon-lock libvirt-daemon-plugin-lockd",
    arch: "libvirt",
  },
  sanlock: {
    debian: "libvirt-sanlock",
    fedora: "libvirt-daemon-plugin-sanlock",
    suse: "libvirt-daemon-plugin-sanlock",
    arch: "libvirt",
  },
  chrony: { debian: "chrony", fedora: "chrony", suse: "chrony", arch: "chrony" },
} as const;

const INSTALL: Readonly<Record<Exclude<DistributionFamily, "other">, string>> = {
  debian: "apt-get install -y",
  fedora: "dnf install -y",
  suse: "zypper install -y",
  arch: "pacman -S --needed",
};

/** The command that installs a part; undefined where we know no name for it. */
export function installs(part: keyof typeof PACKAGES, family: DistributionFamily): string | undefined {
  return family === "other" ? undefined : `${INSTALL[family]} ${PACKAGES[part][family]}`;
}
