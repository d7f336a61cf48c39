/**
 * Our agent's channel by QEMU's own socket, where that is on this host and may be opened. Unlike libvirt's way it holds no
 * lock of the VM, and the kernel refuses at once a connection that QEMU does not accept.
 */
import { log } from "../../log.ts";
import type { ByteStreams } from "./client.ts";
import { AgentFailure } from "./failure.ts";

/**
 * Connects to the socket of a channel.
 *
 * @param heard told whenever something comes
 * @returns undefined where it is not to be reached from here: libvirt has to open it
 * @throws {AgentFailure} `taken`: QEMU accepts no connection
 */
export async function openLocalChannel(path: string, heard: () => void): Promise<ByteStreams | undefined> {
  try {
    const connection = await Deno.connect({ transport: "unix", path });
    const readable = connection.readable.pipeThrough(
      new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform: (bytes, controller) => {
          heard();
          controller.enqueue(bytes);
        },
      }),
    );
    return { readable, writable: connection.writable };
  } catch (error) {
    if (error instanceof Deno.errors.WouldBlock) {
      throw new AgentFailure("taken", "QEMU accepts no connection to the agent's channel", { cause: error });
    }
    if (
      !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
        error instanceof Deno.errors.ConnectionRefused)
    ) throw error;
    log.debug("a channel is not to be reached from here", { path, error });
    return undefined;
  }
}
