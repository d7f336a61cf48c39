/** A guest whose file systems were frozen never stays so: it is thawed again and again, and told where it is not. */
import type { VM } from "../../lib/contract/mod.ts";
import { messageOf } from "../../lib/text/message.ts";
import { type Clock, sleep } from "../clock.ts";
import { log } from "../log.ts";
import type { LibvirtHost } from "./libvirt_host.ts";

/** Tries to thaw a guest, and milliseconds between them. */
const THAW = { tries: 5, ms: 3000 } as const;

/** Tries to thaw a guest repeatedly. @returns the message if it stays frozen */
export async function thawGuest(
  { link }: LibvirtHost,
  { id: uuid, name }: VM,
  clock: Clock,
): Promise<string | undefined> {
  let why = "";
  for (let attempt = 0; attempt < THAW.tries; attempt++) {
    await sleep(clock, THAW.ms);
    try {
      await link.call("domainThaw", { uuid });
      return undefined;
    } catch (error) {
      why = messageOf(error);
    }
  }
  log.error("a guest may still be frozen", { vm: name, error: why });
  return `Its guest agent did not thaw the file systems: ${why}. Restart the guest if it hangs`;
}
