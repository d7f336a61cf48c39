/**
 * Installing our agent through QEMU's: its files are copied into a folder of the guest that root alone can enter, and the
 * installer there is run. The folder is removed, whatever becomes of it.
 */
import { createHash } from "node:crypto";
import { ContractError, type Output, type VM } from "../../lib/contract/mod.ts";
import { linuxInstaller, type ToolsFile } from "../../lib/guest/tools/cd.ts";
import { agentFile, GUEST_TARGETS } from "../../lib/guest/tools/targets.ts";
import { NOT_ON_WINDOWS_BY_QEMU } from "../../lib/guest/remedies.ts";
import { toldText } from "../../lib/guest/told.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import { addChannel, type ChannelAdded } from "../vm/guest_tools/channel.ts";
import { agentProgram, requireGuestTools } from "../vm/guest_tools/programs.ts";
import type { GuestBackend } from "./backend.ts";

/** Bytes that are sent at once. */
const PIECE = 1024 * 1024;
/** Seconds that a small program may take, and the installer. */
const SHORT_SECONDS = 20, INSTALL_SECONDS = 120;
/** A path that `mktemp -d` gives, and nothing else that a guest may say. */
const FOLDER = /^\/[\w./-]{1,200}$/;

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

class Installation {
  constructor(private readonly vm: VM, private readonly agent: GuestBackend) {}

  /** Output of a program of the guest. @throws {ContractError} GuestInstallFailed */
  async run(command: string, args: readonly string[], seconds = SHORT_SECONDS): Promise<string> {
    const { stdout, stderr, exitCode } = await this.agent.exec(this.vm, { command, args, seconds });
    if (exitCode === 0) return decode(stdout).trim();
    const error = toldText(decode(stderr), 512) || toldText(decode(stdout), 512) || "it said nothing";
    throw new ContractError("GuestInstallFailed", { code: exitCode, error });
  }

  /** The program for the guest. @throws {ContractError} GuestUnavailable */
  async program(): Promise<ToolsFile> {
    const machine = await this.run("uname", ["-sm"]);
    const target = GUEST_TARGETS.find(({ name, os }) =>
      os === "linux" && machine === `Linux ${name.slice(6)}`
    );
    if (target === undefined) throw new ContractError("GuestUnavailable", { ...NOT_ON_WINDOWS_BY_QEMU });
    return { name: agentFile(target), bytes: await agentProgram(target), mode: 0o755 };
  }

  async copy(folder: string, { name, bytes, mode }: ToolsFile): Promise<void> {
    const writer = await this.agent.createFile(
      this.vm,
      `${folder}/${name}`,
      mode.toString(8).padStart(4, "0"),
    );
    try {
      for (let at = 0; at < bytes.length; at += PIECE) await writer.write(bytes.subarray(at, at + PIECE));
      await writer.finish(createHash("sha256").update(bytes).digest("hex"));
    } catch (error) {
      await writer.abandon();
      throw error;
    }
  }
}

/**
 * Installs it, and gives the VM its channel.
 *
 * @param agent QEMU's, which can run programs and write files
 * @throws {ContractError}
 */
export async function installAgent(
  host: LibvirtHost,
  vm: VM,
  agent: GuestBackend,
): Promise<Output<"install_guest_agent">> {
  await requireGuestTools();
  const installation = new Installation(vm, agent);
  const program = await installation.program();
  const folder = await installation.run("mktemp", ["-d", "/var/tmp/kvm-manager-agent.XXXXXX"]);
  if (!FOLDER.test(folder)) {
    throw new ContractError("GuestRefused", { error: "it does not say where files go" });
  }
  let output: string;
  try {
    for (const file of [...linuxInstaller(), program]) await installation.copy(folder, file);
    output = toldText(await installation.run("sh", [`${folder}/install.sh`], INSTALL_SECONDS), 1024);
  } finally {
    await installation.run("rm", ["-rf", "--", folder]).catch((error) =>
      log.warn("files of the installer stay in a guest", { vm: vm.name, folder, error })
    );
  }
  let channel: ChannelAdded = "present";
  await host.claims.operate(vm, "adding a channel", async () => {
    channel = await addChannel(host, host.requireVm(vm.id));
  });
  return { channel, output };
}
