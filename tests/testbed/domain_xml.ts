/** Domain XML of test machines. */
import { AGENT_CHANNEL } from "../../lib/guest/protocol.ts";
import type { Guest } from "./guest.ts";
import { type Markup, markup, NOTHING } from "./xml.ts";

/** A disk that exists already. */
export interface DiskXml {
  readonly path: string;
  readonly format: "qcow2" | "raw";
  readonly bus: "virtio" | "scsi";
}

/** VNC on 127.0.0.1, or on a UNIX socket that libvirt names. */
export interface VncXml {
  readonly password?: string;
  readonly socket?: boolean;
}

/** Everything a test machine's XML depends on. */
export interface DomainXml {
  readonly name: string;
  readonly uuid: string;
  readonly memoryMiB: number;
  readonly vcpus: number;
  readonly machine: "q35" | "pc";
  readonly title?: string;
  readonly description?: string;
  /** Boots this kernel; without it the machine has nothing to boot but its disks. */
  readonly guest?: Guest;
  readonly network?: { readonly name: string; readonly mac: string };
  readonly vnc?: VncXml;
  readonly agent: boolean;
  /** A channel for our own agent. */
  readonly ownAgent?: boolean;
  readonly serial: { readonly kind: "pty" | "file"; readonly log: string };
  readonly disks: readonly DiskXml[];
  /** Further devices. */
  readonly devices?: Markup;
  /** MiB for translated code, where QEMU's own measure is too much for the host. */
  readonly codeCacheMiB?: number;
}

/** The XML of a machine. `type='qemu'`: emulation works everywhere, /dev/kvm may be there and still hang a guest. */
export function domainXml(domain: DomainXml): Markup {
  const { guest, network, title, description, vnc, codeCacheMiB } = domain;
  const needsScsi = domain.disks.some((disk) => disk.bus === "scsi");
  return markup`<domain type='qemu'>
  <name>${domain.name}</name>
  <uuid>${domain.uuid}</uuid>
  ${title === undefined ? NOTHING : markup`<title>${title}</title>`}
  ${description === undefined ? NOTHING : markup`<description>${description}</description>`}
  <memory unit='MiB'>${domain.memoryMiB}</memory>
  <vcpu>${domain.vcpus}</vcpu>
  <os>
    <type arch='x86_64' machine='${domain.machine}'>hvm</type>
    ${guest === undefined ? NOTHING : bootXml(guest, domain.name)}
  </os>
  <features>
    <acpi/>
    <apic/>
    ${
    codeCacheMiB === undefined ? NOTHING : markup`<tcg><tb-cache unit='MiB'>${codeCacheMiB}</tb-cache></tcg>`
  }
  </features>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    ${domain.disks.map(diskXml)}
    ${needsScsi ? SCSI : NOTHING}
    ${network === undefined ? NOTHING : interfaceXml(network)}
    ${serialXml(domain.serial)}
    ${domain.agent ? AGENT : NOTHING}
    ${domain.ownAgent === true ? OWN_AGENT : NOTHING}
    ${vnc === undefined ? NOTHING : vncXml(vnc)}
    ${domain.devices ?? NOTHING}
    <memballoon model='virtio'><stats period='1'/></memballoon>
  </devices>
</domain>
`;
}

const SCSI = markup`<controller type='scsi' model='virtio-scsi'/>`;
const AGENT = markup`<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>`;
const OWN_AGENT = markup`<channel type='unix'><target type='virtio' name='${AGENT_CHANNEL}'/></channel>`;

function bootXml(guest: Guest, hostname: string): Markup {
  return markup`<kernel>${guest.kernel}</kernel>
    <initrd>${guest.initrd}</initrd>
    <cmdline>${guest.cmdline} hostname=${hostname}</cmdline>`;
}

function diskXml(disk: DiskXml, index: number): Markup {
  const target = (disk.bus === "virtio" ? "vd" : "sd") + String.fromCharCode("a".charCodeAt(0) + index);
  return markup`<disk type='file' device='disk'>
      <driver name='qemu' type='${disk.format}'/>
      <source file='${disk.path}'/>
      <target dev='${target}' bus='${disk.bus}'/>
    </disk>`;
}

function interfaceXml({ name, mac }: NonNullable<DomainXml["network"]>): Markup {
  return markup`<interface type='network'>
      <mac address='${mac}'/>
      <source network='${name}'/>
      <model type='virtio'/>
    </interface>`;
}

/** A pty is logged as well: libvirt starts the log again with every start of the machine. */
function serialXml({ kind, log }: DomainXml["serial"]): Markup {
  return kind === "pty"
    ? markup`<serial type='pty'><log file='${log}' append='off'/></serial>`
    : markup`<serial type='file'><source path='${log}' append='off'/></serial>`;
}

function vncXml({ password, socket = false }: VncXml): Markup {
  const port = socket ? NOTHING : markup` autoport='yes'`;
  const secret = password === undefined ? NOTHING : markup` passwd='${password}'`;
  const listen = socket
    ? markup`<listen type='socket'/>`
    : markup`<listen type='address' address='127.0.0.1'/>`;
  return markup`<graphics type='vnc'${port}${secret}>${listen}</graphics>
    <video><model type='vga'/></video>`;
}
