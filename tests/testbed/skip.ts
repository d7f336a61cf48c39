/**
 * Tests that this machine cannot run say so, instead of failing or passing without a word:
 *
 *     const reason = await requirement("guest");
 *     Deno.test({ name: "start_vm() boots the guest", ignore: reason !== null, fn: … });
 */
import { buildAgentGuest } from "./agent_guest.ts";
import { buildCloudGuest } from "./cloud_guest.ts";
import { noFirmware } from "./firmware.ts";
import { libvirtVmxFolder } from "./foreign_corpora.ts";
import { ensureGrpcClient } from "./grpc.ts";
import { buildGuest } from "./guest.ts";
import { ensureLibvirtd } from "./libvirt.ts";
import { ensureLoopDevices } from "./loop.ts";
import { ensureNfsServer } from "./nfs_server.ts";
import { onceInRun } from "./once_in_run.ts";
import { ensureOpenvswitch } from "./openvswitch.ts";
import { ensureOtherKernel } from "./other_kernel.ts";
import { ensureForwarding } from "./outside.ts";
import { ensurePackages } from "./packages.ts";
import { ensureSanlock } from "./sanlock.ts";
import { ensureSlowStorage } from "./slow_storage.ts";
import { Unavailable } from "./unavailable.ts";
import { ensureWine } from "./wine.ts";

/** Needs of tests: each is really tried, and made available if possible. */
const NEEDS = {
  /** A libvirtd and QEMU. */
  qemu: ensureLibvirtd,
  /** These, and the bootable guest. */
  guest: async () => {
    await ensureLibvirtd();
    await buildGuest();
  },
  /** These, and our own agent in the guest: built by Debian's Go. */
  agentGuest: async () => {
    await ensureLibvirtd();
    await buildAgentGuest();
  },
  /** Debian's Go. */
  go: () => ensurePackages("golang-go"),
  /** QEMU's emulation of other processors for single programs. */
  qemuUser: () => ensurePackages("qemu-user-static"),
  /** The guest with the real cloud-init. */
  cloudGuest: async () => {
    await ensureLibvirtd();
    await buildCloudGuest();
  },
  /** nftables, namespaces, and a kernel that can forward ports. */
  forwarding: ensureForwarding,
  /** Loop devices, file systems, LVM's tools. */
  loopDevices: ensureLoopDevices,
  /** NFS-Ganesha, and QEMU's own NFS client. */
  nfsServer: ensureNfsServer,
  /** User-Mode Linux. */
  otherKernel: ensureOtherKernel,
  /** Debian's openvswitch-switch, and network devices made by programs. */
  openvswitch: ensureOpenvswitch,
  /** Google's gRPC client for Python, and protoc. */
  grpcClient: ensureGrpcClient,
  /** Debian's passt. */
  passt: () => ensurePackages("passt"),
  /** Debian's sshd, which root alone can start. */
  ssh: () => {
    if (Deno.uid() !== 0) throw new Unavailable("sshd is started by root alone");
    return ensurePackages("openssh-server");
  },
  /** Debian's SASL, and a libvirtd of our own that asks by it. */
  sasl: async () => {
    await ensureLibvirtd();
    if (Deno.uid() !== 0) throw new Unavailable("a libvirtd that asks who connects is started by root alone");
    await ensurePackages("sasl2-bin", "libsasl2-modules", "libsasl2-modules-db", "openssl");
  },
  /** These, and MIT's Kerberos with its KDC. */
  kerberos: async () => {
    await ensureLibvirtd();
    if (Deno.uid() !== 0) throw new Unavailable("a libvirtd that asks who connects is started by root alone");
    await ensurePackages(
      ...["krb5-kdc", "krb5-admin-server", "krb5-user", "libsasl2-modules-gssapi-mit", "sasl2-bin"],
      ...["libsasl2-modules", "libsasl2-modules-db", "openssl"],
    );
  },
  /** Debian's sanlock, unpacked, and overlays by which private libvirtds see it. */
  sanlock: ensureSanlock,
  /** Debian's sudo, for a copy of this machine's files. */
  sudo: () => ensurePackages("sudo"),
  /** rpmbuild and lintian. */
  packaging: () => ensurePackages("rpm", "lintian"),
  /** Programs in place of systemd's sandbox, and systemd's own check of a unit. */
  sandbox: async () => {
    await ensureLibvirtd();
    await ensurePackages("bubblewrap", "systemd");
  },
  /** Debian's chromium. What drives it takes a third of a second to load, which most files can do without. */
  chromium: async () => await (await import("./chromium.ts")).ensureChromium(),
  /** A libvirtd and QEMU, and swtpm with what libvirt makes its TPMs by. */
  tpm: async () => {
    await ensureLibvirtd();
    const reason = await noFirmware();
    if (reason !== null) throw new Unavailable(reason);
  },
  /** Debian's slowhttptest. */
  slowhttptest: () => ensurePackages("slowhttptest"),
  /** Debian's libfaketime. */
  faketime: () => ensurePackages("faketime"),
  /** Debian's prometheus, with promtool. */
  prometheus: () => ensurePackages("prometheus"),
  /** A file system that can be made to hang. */
  slowStorage: ensureSlowStorage,
  /** Debian's wine64 and wine, which are not installed for the tests: they are large. */
  wine: ensureWine,
  /** libvirt's own `.vmx` files, out of Debian's source package. */
  vmxFiles: libvirtVmxFolder,
  /** Debian's tmux. */
  tmux: () => ensurePackages("tmux"),
  /** Debian's strace. */
  strace: () => ensurePackages("strace"),
} satisfies Record<string, () => Promise<unknown>>;

/** The name of a {@link NEEDS need}. */
export type Need = keyof typeof NEEDS;

const answers = new Map<Need, Promise<string | null>>();

/**
 * Why a test with these needs cannot run here, or null when it can. The reason is printed once:
 * `SKIP <need>: <reason>`.
 *
 * @throws whatever else goes wrong than something being unavailable: that is a defect, no reason to skip
 */
export async function requirement(...needs: Need[]): Promise<string | null> {
  for (const need of needs) {
    const reason = await (answers.get(need) ?? ask(need));
    if (reason !== null) return reason;
  }
  return null;
}

function ask(need: Need): Promise<string | null> {
  const answer = attempt(need);
  answers.set(need, answer);
  return answer;
}

async function attempt(need: Need): Promise<string | null> {
  try {
    await onceInRun(need, NEEDS[need]);
    return null;
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    const reason = error.message.replaceAll("\n", " ");
    console.error(`SKIP ${need}: ${reason}`);
    return reason;
  }
}
