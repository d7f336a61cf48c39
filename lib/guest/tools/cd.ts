/** The "guest tools" CD: packages, installers and a README, made of the agents when it is asked for. Pure. */
import { type IsoFile, writeIso } from "../../formats/iso9660/write.ts";
import { type RpmTools, writeRpm } from "../../formats/rpm/write.ts";
import { writeAr } from "../../formats/tar/ar.ts";
import { type TarEntry, writeTar } from "../../formats/tar/tar.ts";
import {
  AGENT_CONFIG,
  AGENT_NAME,
  INSTALL_CMD,
  INSTALL_SH,
  OPENRC_SCRIPT,
  readme,
  SYSTEMD_UNIT,
  SYSV_SCRIPT,
  TOOLS_LABEL,
} from "./texts.ts";

/** The agents by what they are built for. */
export interface AgentPrograms {
  readonly "linux-x86_64": Uint8Array;
  readonly "linux-aarch64": Uint8Array;
  readonly "windows-x86_64": Uint8Array;
}

/** Version and programs that the CD is made with. */
export interface GuestTools {
  readonly programs: AgentPrograms;
  readonly version: string;
  /** Compresses as gzip does, always the same way. */
  readonly gzip: (bytes: Uint8Array) => Uint8Array;
  readonly digest: RpmTools["digest"];
}

/** The time of everything on it: the same tools give the same CD. */
const DATE = new Date(Date.UTC(2020, 0, 1));

const encoder = new TextEncoder();
const bytes = (text: string) => encoder.encode(text);

const file = (name: string, content: Uint8Array, mode = 0o644): TarEntry => ({ name, mode, content });
const folders = (...names: string[]) => names.map((name) => file(name, new Uint8Array(), 0o755));

const DEB_SCRIPTS = {
  postinst: `#!/bin/sh
set -e
if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable ${AGENT_NAME}
  systemctl restart ${AGENT_NAME}
fi
`,
  prerm: `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable --now ${AGENT_NAME}
fi
`,
} as const;

const DESCRIPTION = "Lets the host see addresses, file systems and services of this virtual machine,\n" +
  "run commands, copy files and shut it down, by a virtual serial port.";

const RPM_SCRIPTS = {
  afterInstall: `if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl enable ${AGENT_NAME}
  systemctl restart ${AGENT_NAME}
fi
`,
  // $1 is how many are left: none when it is no upgrade
  beforeRemove: `if [ "$1" = 0 ] && [ -d /run/systemd/system ]; then
  systemctl disable --now ${AGENT_NAME}
fi
`,
} as const;

/** A package for Fedora, RHEL, openSUSE and their kin. */
export function agentRpm(
  program: Uint8Array,
  architecture: "x86_64" | "aarch64",
  { version, gzip, digest }: Pick<GuestTools, "version" | "gzip" | "digest">,
): Uint8Array<ArrayBuffer> {
  const folder = `/etc/${AGENT_NAME}/`;
  return writeRpm({
    name: AGENT_NAME,
    version,
    release: "1",
    architecture,
    modified: DATE.getTime() / 1000,
    summary: "Agent of KVM Manager inside a virtual machine",
    description: DESCRIPTION,
    license: "None chosen yet",
    scripts: RPM_SCRIPTS,
    files: [
      { path: folder, content: new Uint8Array(), mode: 0o755 },
      { path: `${folder}agent.json`, content: bytes(AGENT_CONFIG), mode: 0o644, isConfig: true },
      { path: `/usr/sbin/${AGENT_NAME}`, content: program, mode: 0o755 },
      { path: `/usr/lib/systemd/system/${AGENT_NAME}.service`, content: bytes(SYSTEMD_UNIT), mode: 0o644 },
    ],
  }, { gzip, digest });
}

/** A Debian package: deb(5). */
export function agentDeb(
  program: Uint8Array,
  architecture: "amd64" | "arm64",
  { version, gzip }: Pick<GuestTools, "version" | "gzip">,
): Uint8Array<ArrayBuffer> {
  const control = [
    `Package: ${AGENT_NAME}`,
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    "Maintainer: KVM Manager <noreply@kvm-manager.invalid>",
    `Installed-Size: ${Math.ceil(program.length / 1024)}`,
    "Section: admin",
    "Priority: optional",
    "Description: agent of KVM Manager inside a virtual machine",
    ...DESCRIPTION.split("\n").map((line) => ` ${line}`),
    "",
  ].join("\n");
  const config = `/etc/${AGENT_NAME}/agent.json`;
  const tar = (entries: readonly TarEntry[]) => gzip(writeTar(entries));
  return writeAr([
    { name: "debian-binary", content: bytes("2.0\n") },
    {
      name: "control.tar.gz",
      content: tar([
        ...folders("./"),
        file("./control", bytes(control)),
        file("./conffiles", bytes(`${config}\n`)),
        ...Object.entries(DEB_SCRIPTS).map(([name, text]) => file(`./${name}`, bytes(text), 0o755)),
      ]),
    },
    {
      name: "data.tar.gz",
      content: tar([
        ...folders("./", "./etc/", `./etc/${AGENT_NAME}/`, "./usr/", "./usr/sbin/", "./usr/lib/"),
        ...folders("./usr/lib/systemd/", "./usr/lib/systemd/system/"),
        file(`.${config}`, bytes(AGENT_CONFIG)),
        file(`./usr/sbin/${AGENT_NAME}`, program, 0o755),
        file(`./usr/lib/systemd/system/${AGENT_NAME}.service`, bytes(SYSTEMD_UNIT)),
      ]),
    },
  ]);
}

/** A file of an installer. */
export interface ToolsFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
}

const textFile = (name: string, content: string, mode = 0o644): ToolsFile => ({
  name,
  bytes: bytes(content),
  mode,
});

/** Files that install on any Linux, in addition to the program. */
export const linuxInstaller = (): readonly ToolsFile[] => [
  textFile("install.sh", INSTALL_SH, 0o755),
  textFile("agent.json", AGENT_CONFIG),
  textFile(`${AGENT_NAME}.service`, SYSTEMD_UNIT),
  textFile(`${AGENT_NAME}.openrc`, OPENRC_SCRIPT),
  textFile(`${AGENT_NAME}.sysv`, SYSV_SCRIPT),
];

/** Files on the CD next to the packages: the installers and the programs they install. */
function looseFiles(
  { programs, version }: GuestTools,
): readonly ToolsFile[] {
  return [
    textFile("README.txt", readme(version)),
    ...linuxInstaller(),
    textFile("install.cmd", INSTALL_CMD),
    { name: `${AGENT_NAME}-linux-x86_64`, bytes: programs["linux-x86_64"], mode: 0o755 },
    { name: `${AGENT_NAME}-linux-aarch64`, bytes: programs["linux-aarch64"], mode: 0o755 },
    { name: `${AGENT_NAME}-windows-x86_64.exe`, bytes: programs["windows-x86_64"], mode: 0o755 },
  ];
}

/** The archive for those who bring the agent in by themselves: what Linux needs of it, in a folder. */
function archive(tools: GuestTools): Uint8Array {
  const top = `${AGENT_NAME}-${tools.version}`;
  return tools.gzip(writeTar([
    ...folders(`${top}/`),
    ...looseFiles(tools).filter(({ name }) => !/windows|\.cmd$/.test(name))
      .map(({ name, bytes, mode }) => file(`${top}/${name}`, bytes, mode)),
  ]));
}

/** The files on the CD. */
export function guestToolsFiles(tools: GuestTools): IsoFile[] {
  const { programs, version } = tools;
  return [
    ...looseFiles(tools).map(({ name, bytes }) => ({ name, bytes })),
    { name: `${AGENT_NAME}_${version}_amd64.deb`, bytes: agentDeb(programs["linux-x86_64"], "amd64", tools) },
    {
      name: `${AGENT_NAME}_${version}_arm64.deb`,
      bytes: agentDeb(programs["linux-aarch64"], "arm64", tools),
    },
    ...(["x86_64", "aarch64"] as const).map((architecture) => ({
      name: `${AGENT_NAME}-${version}-1.${architecture}.rpm`,
      bytes: agentRpm(programs[`linux-${architecture}`], architecture, tools),
    })),
    { name: `${AGENT_NAME}-${version}-linux.tar.gz`, bytes: archive(tools) },
  ];
}

/** The CD. The same tools give the same bytes. */
export function guestToolsCd(tools: GuestTools): Uint8Array<ArrayBuffer> {
  return writeIso({ volumeId: TOOLS_LABEL, files: guestToolsFiles(tools), date: DATE, permissions: 0o555 });
}
