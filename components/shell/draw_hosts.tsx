/** The hosts in the sidebar as they are now. Loaded where there are several: most pages are of one host. */
import { effect } from "@preact/signals";
import { render } from "preact";
import { currentTime } from "../../lib/client/clock.ts";
import { heardHosts } from "../../lib/client/heard_hosts.ts";
import { live } from "../../lib/client/live.ts";
import { pageHost } from "../../lib/client/page_host.ts";
import { whenChanged } from "../../lib/client/query.ts";
import { reportFailure } from "../../lib/client/toasts.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { useAddresses } from "../../lib/fresh/base.ts";
import { addressFrom } from "../../lib/text/host_path.ts";
import { HostLinks } from "./SidebarHosts.tsx";

/** Milliseconds after a change of VMs until those of each host are counted again. */
const RECOUNT_MS = 2000;

const read = (): Promise<void> => live.readHosts().catch((error) => reportFailure("failed.refresh", error));

/** Draws them again whenever one has changed. @param place the element that they were rendered in */
export async function drawHosts(place: Element): Promise<void> {
  await read();
  if (live.hosts.peek() === null) return;
  // On pages of the local host, addresses are not changed in the browser elsewhere
  const current = pageHost();
  if (current === LOCAL_HOST) {
    useAddresses((address) => addressFrom({ id: LOCAL_HOST, isLinked: false }, address));
  }
  effect(() => {
    render(
      <HostLinks hosts={heardHosts([])} current={current} now={currentTime(Date.now())} />,
      place,
    );
  });
  let waiting: ReturnType<typeof setTimeout> | undefined;
  whenChanged(live.counts)(() => {
    // Where not all VMs are here, the counts changed because the hosts were read
    if (!live.vms.complete.peek()) return;
    waiting ??= setTimeout(() => {
      waiting = undefined;
      void read();
    }, RECOUNT_MS);
  });
}
