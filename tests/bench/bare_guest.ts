/**
 * A guest of our agent in a QEMU that libvirt and the product know nothing of: what the agent and virtio-serial themselves
 * take. It must not be a VM of libvirt's: QEMU speaks to one program at a time on a channel, and while this one does, the
 * third connection that libvirt makes there for the product waits for ever with the VM's lock held, and whoever asks libvirt
 * for its VMs waits with it.
 */
import { OwnAgentClient } from "../../agent/guest/own/client.ts";
import { AGENT_CHANNEL } from "../../lib/guest/protocol.ts";
import type { Guest } from "../testbed/guest.ts";
import { until } from "../testbed/wait.ts";
import { Process } from "./console_doors.ts";
import { timed } from "./measure.ts";

/** A port of the guest without a protocol: it shows the throughput of virtio-serial itself. */
const RAW_PORT = "org.kvmmanager.bench.0";
/** Bytes that the guest reads at once there. */
const BLOCK = 50_000;
/** Milliseconds in which the guest has read all, also on a busy machine. */
const RAW_MS = 120_000;

export class BareGuest implements AsyncDisposable {
  private constructor(private readonly folder: string, private readonly qemu: Process) {}

  /** Starts its QEMU. */
  static async start(guest: Guest, memoryMiB: number): Promise<BareGuest> {
    const folder = await Deno.makeTempDir({ prefix: "kvmm-bench-" });
    const port = (name: string, id: string) => [
      ...["-chardev", `socket,id=${id},path=${folder}/${id},server=on,wait=off`],
      ...["-device", `virtserialport,chardev=${id},name=${name}`],
    ];
    const qemu = Process.start("qemu-system-x86_64", [
      ...["-nodefaults", "-display", "none", "-accel", "tcg", "-M", "q35", "-m", String(memoryMiB)],
      ...["-kernel", guest.kernel, "-initrd", guest.initrd, "-append", `${guest.cmdline} hostname=bare`],
      ...["-serial", `file:${folder}/serial.log`, "-device", "virtio-serial-pci"],
      ...port(AGENT_CHANNEL, "agent"),
      ...port(RAW_PORT, "raw"),
    ]);
    return new BareGuest(folder, qemu);
  }

  /** Speaks to its agent, once it has come up. */
  async agent(): Promise<OwnAgentClient> {
    return await until("the agent", async () => {
      try {
        return await OwnAgentClient.open(await this.#connect("agent"), 30_000);
      } catch {
        return null; // it boots, or its agent starts
      }
    }, { seconds: 60, lastSeen: () => Deno.readTextFile(`${this.folder}/serial.log`) });
  }

  /** Has the guest read so many bytes from the raw port. @returns milliseconds @throws {Error} when it does not */
  async raw(agent: OwnAgentClient, size: number): Promise<number> {
    using line = await this.#connect("raw");
    const script = `for port in /sys/class/virtio-ports/*; do
  [ "$(cat "$port/name")" != ${RAW_PORT} ] || exec dd "if=/dev/\${port##*/}" of=/dev/null bs=${BLOCK} count=${
      size / BLOCK
    } iflag=fullblock
done; exit 1`;
    return await timed(async () => {
      const sent = send(line, size);
      sent.catch(() => {}); // without a reader, the line is closed during the write
      const { exitCode, stderr, timedOut } = await agent.exec("sh", {
        args: ["-c", script],
        timeoutMs: RAW_MS,
      });
      if (timedOut) throw new Error(`the guest did not read ${size} bytes within ${RAW_MS} ms`);
      if (exitCode !== 0) throw new Error(new TextDecoder().decode(stderr));
      await sent;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.qemu[Symbol.asyncDispose]();
    await Deno.remove(this.folder, { recursive: true });
  }

  #connect(id: "agent" | "raw"): Promise<Deno.UnixConn> {
    return Deno.connect({ transport: "unix", path: `${this.folder}/${id}` });
  }
}

async function send(line: Deno.UnixConn, size: number): Promise<void> {
  const piece = new Uint8Array(65_536);
  for (let sent = 0; sent < size;) {
    sent += await line.write(piece.subarray(0, Math.min(piece.length, size - sent)));
  }
}
