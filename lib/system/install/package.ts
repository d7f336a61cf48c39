/** Content and metadata of the packages: Debian's control file and scripts, the RPM's spec. */
import { CREDENTIAL_FILE } from "./credential.ts";
import { type InstallLayout, textFiles } from "./layout.ts";

/** Data of a package to build. */
export interface PackageFacts {
  readonly version: string;
  /** As Deno names it. */
  readonly arch: "x86_64" | "aarch64";
  /** Bytes of all files together. */
  readonly size: number;
}

const SUMMARY = "manage the virtual machines of this host in a browser";
const DESCRIPTION = [
  "One program that manages libvirt's VMs, storage and networks: pages in a",
  "browser, a REST API and a command line. It runs as a user of its own, needs no",
  "database server, and loads nothing from the internet.",
];
const MAINTAINER = "KVM Manager <noreply@kvm-manager.invalid>";

/** Debian's names of architectures. */
export const DEB_ARCH = { x86_64: "amd64", aarch64: "arm64" } as const;

/** A file of a package. */
export interface PackageFile {
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array;
  /** An administrator's. */
  readonly isConfig: boolean;
}

/** Licence and origin, as packages say them. */
const COPYRIGHT =
  `KVM Manager, packed together with the Deno runtime (https://deno.com, MIT License) and the JavaScript
libraries that deno.json of its sources names, each under its own licence.
`;

/** Debian's changelog: deb-changelog(5). What changed is in the history of the sources. */
export function changelog(version: string): string {
  return [
    `kvm-manager (${version}) unstable; urgency=medium`,
    "",
    "  * See the history of the sources.",
    "",
    ` -- ${MAINTAINER}  Wed, 01 Jan 2020 00:00:00 +0000`,
    "",
  ].join("\n");
}

/** Contents of a package that are not made here. */
export interface PackageContent {
  readonly binary: Uint8Array;
  /** Guide for users. */
  readonly guide: Uint8Array;
  /** The changelog, through gzip. */
  readonly history: Uint8Array;
}

/** Every file of a package. */
export function packageFiles(
  layout: InstallLayout,
  { binary, guide, history }: PackageContent,
): PackageFile[] {
  const encoder = new TextEncoder();
  const doc = "/usr/share/doc/kvm-manager";
  const plain = (path: string, content: Uint8Array, mode = 0o644) => ({
    path,
    mode,
    content,
    isConfig: false,
  });
  return [
    plain(layout.binary, binary, 0o755),
    ...textFiles(layout).map(({ path, text, mode, kept }) => ({
      path,
      mode,
      content: encoder.encode(text),
      isConfig: kept,
    })),
    plain(`${doc}/copyright`, encoder.encode(COPYRIGHT)),
    plain(`${doc}/changelog.gz`, history),
    plain(`${doc}/install.md`, guide),
  ];
}

/** Debian's control file: deb-control(5). */
export function debControl({ version, arch, size }: PackageFacts): string {
  return [
    "Package: kvm-manager",
    `Version: ${version}`,
    `Architecture: ${DEB_ARCH[arch]}`,
    `Maintainer: ${MAINTAINER}`,
    `Installed-Size: ${Math.ceil(size / 1024)}`,
    "Depends: libc6, libvirt0, passwd",
    "Recommends: libvirt-daemon-system, qemu-system, qemu-utils, nftables, iproute2, dnsmasq-base, ovmf, swtpm-tools",
    "Section: admin",
    "Priority: optional",
    `Description: ${SUMMARY}`,
    ...DESCRIPTION.map((line) => ` ${line}`),
    "",
  ].join("\n");
}

const script = (...lines: string[]) => ["#!/bin/sh", "set -e", ...lines, ""].join("\n");
/** Into another root (image builds), the program unpacks itself there as well. */
const ELSEWHERE = '[ -z "$DPKG_ROOT" ] || export KVMM_CACHE_DIR="$DPKG_ROOT/var/cache/kvm-manager"';

/** Debian's scripts, by name: the program does the work. */
export function debScripts(
  { binary, configDir, dataDir, keyDir, cacheDir }: InstallLayout,
): Readonly<Record<string, string>> {
  return {
    postinst: script(
      ELSEWHERE,
      `[ "$1" != configure ] || "$DPKG_ROOT${binary}" install --package --root "$DPKG_ROOT/"`,
    ),
    prerm: script(
      ELSEWHERE,
      `[ "$1" != remove ] || "$DPKG_ROOT${binary}" uninstall --package --yes --root "$DPKG_ROOT/"`,
    ),
    // The program is gone by then
    postrm: script(
      `[ "$1" != purge ] || rm -rf -- ${
        [configDir, dataDir, keyDir, CREDENTIAL_FILE, cacheDir].map((path) => `"$DPKG_ROOT${path}"`).join(" ")
      }`,
    ),
  };
}

/** The RPM's spec. @param tree folder with all files in their places */
export function rpmSpec(
  { version, arch }: PackageFacts,
  layout: InstallLayout,
  files: readonly PackageFile[],
  tree: string,
): string {
  const listed = files.map(({ path, mode, isConfig }) =>
    `${isConfig ? "%config(noreplace) " : ""}%attr(0${mode.toString(8)}, root, root) ${path}`
  );
  return [
    "Name: kvm-manager",
    `Version: ${version}`,
    "Release: 1",
    `Summary: ${SUMMARY[0]!.toUpperCase()}${SUMMARY.slice(1)}`,
    "License: MIT AND others",
    `BuildArch: ${arch}`,
    // The program brings its own libraries; what it loads it finds by name
    "AutoReqProv: no",
    "Requires: libvirt-libs, shadow-utils, coreutils, tar, gzip",
    "Recommends: libvirt-daemon-kvm, qemu-kvm, qemu-img, nftables, iproute, dnsmasq",
    "",
    "%description",
    ...DESCRIPTION,
    "",
    "%install",
    `cp -a ${tree}/. %{buildroot}/`,
    "",
    "%post",
    `${layout.binary} install --package`,
    "",
    "%preun",
    `[ "$1" -gt 0 ] || ${layout.binary} uninstall --package --yes`,
    "",
    "%files",
    `%dir %attr(0750, root, root) ${layout.configDir}`,
    ...listed,
    "",
  ].join("\n");
}
