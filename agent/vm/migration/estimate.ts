/** How long a move of a VM that runs takes, and whether it comes to an end, from what is measured before. */
import { MOST_FILLER } from "../../../lib/host/migration_protocol.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { sleep } from "../../clock.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { log } from "../../log.ts";
import type { MigrationConversation } from "./conversation.ts";

/** Seconds that memory is watched, milliseconds between looks whether that is over, and at most. */
const WATCH_S = 1, LOOK_MS = 200, MOST_MS = 4000;
/** Pieces that are sent to find out how fast the link is. */
const PIECES = 8;

/** Bytes of memory that a guest changes in a second; undefined where libvirt does not say. */
export async function measureDirtyRate(
  { link, clock }: LibvirtHost,
  uuid: string,
): Promise<number | undefined> {
  try {
    if (!await link.call("dirtyRateStart", { uuid, seconds: WATCH_S })) return undefined;
    const until = clock.monotonic() + MOST_MS;
    await sleep(clock, WATCH_S * 1000);
    for (;;) {
      const rate = await link.call("dirtyRate", { uuid });
      if (rate !== null) return rate;
      if (clock.monotonic() > until) return undefined;
      await sleep(clock, LOOK_MS);
    }
  } catch (error) {
    // The plan is as good without it
    log.info("how fast a guest changes its memory cannot be measured", { error: messageOf(error) });
    return undefined;
  }
}

/** Bytes per second that the link to the other host carries. @throws {ContractError} LinkedHostAway */
export async function measureLine(talk: MigrationConversation): Promise<number> {
  const filler = "0".repeat(MOST_FILLER), began = performance.now();
  for (let piece = 0; piece < PIECES; piece++) await talk.ask({ do: "probe", filler });
  return Math.round(PIECES * MOST_FILLER / Math.max(1, performance.now() - began) * 1000);
}
