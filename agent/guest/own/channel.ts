/** Our agent's channel as a pair of streams, through libvirt. */
import { LibvirtError } from "../../../ffi/error.ts";
import type { ConsoleStreams } from "../../../ffi/streams.ts";
import { AGENT_CHANNEL } from "../../../lib/guest/protocol.ts";
import type { ByteStreams } from "./client.ts";
import { log } from "../../log.ts";
import { AgentFailure } from "./failure.ts";

/** libvirt's words for a channel that another has open. Source: qemuDomainOpenChannel. */
const TAKEN = /active channel stream exists/i;

/**
 * Opens the channel of a running VM.
 *
 * @param heard told whenever something comes
 * @throws {AgentFailure} `taken`, `closed` where libvirt opens none
 */
export async function openChannel(
  consoles: Pick<ConsoleStreams, "open">,
  uuid: string,
  heard: () => void,
): Promise<ByteStreams> {
  const incoming = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>>();
  let isOver = false;
  let close = () => Promise.resolve();
  const readable = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => incoming.resolve(controller),
    cancel: async () => {
      isOver = true;
      await close();
    },
  });
  const controller = await incoming.promise;
  const end = (failure: LibvirtError | null) => {
    if (isOver) return;
    isOver = true;
    if (failure === null) controller.close();
    else controller.error(failure);
    void close();
  };
  try {
    const stream = await consoles.open({ uuid, channel: AGENT_CHANNEL, force: false }, {
      data: (bytes) => {
        heard();
        if (!isOver) controller.enqueue(bytes);
      },
      ended: end,
    });
    close = () => stream.close();
    const writable = new WritableStream<Uint8Array<ArrayBuffer>>({
      write: (bytes) => stream.write(bytes),
      close,
      abort: close,
    });
    return { readable, writable };
  } catch (error) {
    if (!(error instanceof LibvirtError)) throw error;
    // A VM that stops meanwhile, or a channel that is no socket: QEMU's agent is asked, or libvirt says more elsewhere
    log.info("a guest agent's channel cannot be opened", { vm: uuid, error });
    throw new AgentFailure(TAKEN.test(error.message) ? "taken" : "closed", error.message, { cause: error });
  }
}
