/** Operating systems' names: libosinfo short ids → what people call them. */
import type { VM } from "../../contract/mod.ts";
import { t } from "../../i18n/mod.ts";

/** Short id's letters → the name. What is not here is shown as it is. */
const NAMES: Readonly<Record<string, string>> = {
  almalinux: "AlmaLinux",
  alpinelinux: "Alpine",
  archlinux: "Arch Linux",
  centos: "CentOS",
  "centos-stream": "CentOS Stream",
  debian: "Debian",
  fedora: "Fedora",
  freebsd: "FreeBSD",
  gentoo: "Gentoo",
  linux: "Generic Linux",
  netbsd: "NetBSD",
  nixos: "NixOS",
  openbsd: "OpenBSD",
  opensuse: "openSUSE",
  opensusetumbleweed: "openSUSE Tumbleweed",
  rhel: "RHEL",
  rocky: "Rocky Linux",
  sles: "SLES",
  ubuntu: "Ubuntu",
  win: "Windows",
  win2k: "Windows Server 20",
};

/** `debian12` → `Debian 12`, `ubuntu24.04` → `Ubuntu 24.04`, an unknown id as it is. */
export function osName(variant: string): string {
  const [, letters = "", version = ""] = /^(win2k|[a-z][a-z0-9-]*?[a-z])-?([0-9][\w.]*)?$/.exec(variant) ??
    [];
  const name = NAMES[letters];
  if (name === undefined) return variant;
  return version === "" ? name : `${name}${name.endsWith("20") ? "" : " "}${version}`;
}

/** Name of a VM's operating system; undefined if it is unknown. */
export function osOf(vm: Pick<VM, "osType" | "osVariant">): string | undefined {
  if (vm.osVariant !== undefined && vm.osVariant !== "") return osName(vm.osVariant);
  if (vm.osType === "linux") return t("os.linux");
  if (vm.osType === "windows") return t("os.windows");
  return undefined;
}
