/** A connection to libvirt of a verb's own, without a server. */
import { LibvirtLink } from "../agent/libvirt/link.ts";
import type { Settings } from "../agent/settings.ts";

/** Milliseconds libvirt may take to let us in. */
const CONNECT_MS = 16_000;

/** A link of our own; closed when disposed of. Its status says whether libvirt has let us in. */
export async function ownLink(settings: Settings): Promise<{ link: LibvirtLink } & AsyncDisposable> {
  const settled = Promise.withResolvers<void>();
  const link = new LibvirtLink(settings.uri, {
    status: () => settled.resolve(),
    connected: () => settled.resolve(),
    events: () => {},
  });
  link.start();
  const timer = setTimeout(settled.resolve, CONNECT_MS);
  await settled.promise;
  clearTimeout(timer);
  return { link, [Symbol.asyncDispose]: () => link.stop() };
}
