/** Paths of an installed KVM Manager, and the files that are written there in addition to the program. */
import { unitText } from "./unit.ts";

/** Name of the program, its user, its group, its unit and its folders. */
export const NAME = "kvm-manager";
/** Group that the user is made a member of: it lets in at libvirt's socket. */
export const LIBVIRT_GROUP = "libvirt";
/** Group of /dev/kvm. */
export const KVM_GROUP = "kvm";

/** The data folder of an installation, and the folder of its encryption keys: backups of the one do not have the other. */
const DATA_DIR = `/var/lib/${NAME}`, KEY_DIR = `/var/lib/${NAME}-key`;

/** Folders that the encryption keys of a data folder can be in, the best one first. */
export const keyFolders = (dataDir: string): readonly [string, ...string[]] =>
  dataDir === DATA_DIR ? [KEY_DIR, `${dataDir}/key`] : [`${dataDir}/key`];

/** `/usr` is a package's, `/usr/local` is that of `kvm-manager install`. */
export type Prefix = "/usr" | "/usr/local";

/** Places of an installation; absolute, as the installed system sees them. */
export interface InstallLayout {
  readonly prefix: Prefix;
  readonly binary: string;
  /** Folder of what belongs to the program alone. */
  readonly library: string;
  /** The binary before the last upgrade. */
  readonly previous: string;
  /** Record of the installation, as JSON. */
  readonly record: string;
  readonly unit: string;
  readonly sysusers: string;
  readonly tmpfiles: string;
  readonly configDir: string;
  readonly config: string;
  readonly dataDir: string;
  /** Folder of the keys that secrets in the data folder are sealed with. */
  readonly keyDir: string;
  readonly runtimeDir: string;
  /** Folder that the binary unpacks to when root starts it, for all users. */
  readonly cacheDir: string;
}

/** The places below a prefix. */
export function layoutOf(prefix: Prefix): InstallLayout {
  const library = `${prefix}/lib/${NAME}`;
  // systemd reads an administrator's files in /etc, a package's in /usr/lib
  const at = prefix === "/usr"
    ? { units: "/usr/lib/systemd/system", sysusers: "/usr/lib/sysusers.d", tmpfiles: "/usr/lib/tmpfiles.d" }
    : { units: "/etc/systemd/system", sysusers: "/etc/sysusers.d", tmpfiles: "/etc/tmpfiles.d" };
  return {
    prefix,
    binary: `${prefix}/bin/${NAME}`,
    library,
    previous: `${library}/previous`,
    record: `${library}/installed.json`,
    unit: `${at.units}/${NAME}.service`,
    sysusers: `${at.sysusers}/${NAME}.conf`,
    tmpfiles: `${at.tmpfiles}/${NAME}.conf`,
    configDir: `/etc/${NAME}`,
    config: `/etc/${NAME}/config.toml`,
    dataDir: DATA_DIR,
    keyDir: KEY_DIR,
    runtimeDir: `/run/${NAME}`,
    cacheDir: `/var/cache/${NAME}`,
  };
}

/** The user and the groups, for systemd-sysusers(8). */
function sysusersText({ dataDir }: InstallLayout): string {
  return [
    "# The user of kvm-manager.service; the groups let it in at libvirt's socket and at /dev/kvm.",
    `u ${NAME} - "KVM Manager" ${dataDir}`,
    `m ${NAME} ${LIBVIRT_GROUP}`,
    `m ${NAME} ${KVM_GROUP}`,
    "",
  ].join("\n");
}

/** Owners and modes of the folders, for systemd-tmpfiles(8). The settings are root's; the service may read them. */
function tmpfilesText({ configDir, config, dataDir, keyDir }: InstallLayout): string {
  return [
    "# Who may look into KVM Manager's folders.",
    `d ${configDir} 0750 root ${NAME} -`,
    `z ${config} 0640 root ${NAME} -`,
    `d ${dataDir} 0700 ${NAME} ${NAME} -`,
    `d ${keyDir} 0700 ${NAME} ${NAME} -`,
    "",
  ].join("\n");
}

/** @param listen where the service listens; undefined for what it does by itself */
const configText = (listen: string | undefined) =>
  `# Settings of KVM Manager. Each has a flag of the same name: kvm-manager serve --help tells them all.
# After a change: systemctl restart kvm-manager
#
${listen === undefined ? '# listen = "127.0.0.1:8440"' : `listen = ${JSON.stringify(listen)}`}
# uri = "qemu:///system"
# log-level = "info"
`;

/** A file that is written as it is. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
  /** An administrator's: what is there stays. */
  readonly kept: boolean;
}

/** All files of an installation but the binary. @param listen where its service listens, by settings that are made */
export function textFiles(layout: InstallLayout, listen?: string): readonly TextFile[] {
  const ours = (path: string, text: string): TextFile => ({ path, text, mode: 0o644, kept: false });
  return [
    ours(layout.unit, unitText(layout)),
    ours(layout.sysusers, sysusersText(layout)),
    ours(layout.tmpfiles, tmpfilesText(layout)),
    { path: layout.config, text: configText(listen), mode: 0o640, kept: true },
  ];
}

/** Folders of an installation that only the program looks into. */
export function folders(layout: InstallLayout): readonly { path: string; mode: number }[] {
  return [
    { path: layout.configDir, mode: 0o750 },
    { path: layout.dataDir, mode: 0o700 },
    { path: layout.keyDir, mode: 0o700 },
  ];
}
