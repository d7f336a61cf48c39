/** Networks on a page, kept up to date: read anew when libvirt or a machine tells of a change. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { networkDeed } from "../format/networks.ts";
import { oneLine } from "../format/text.ts";
import { networks } from "../i18n/en/networks.ts";
import { textsOf } from "../i18n/mod.ts";
import { api } from "./api.ts";
import { live } from "./live.ts";
import { report, reportFailure } from "./toasts.ts";

const { t } = textsOf(networks);

/** Changes that come together are read once. */
const SETTLE_MS = 150;

/**
 * Keeps something up to date that is read by a call.
 *
 * @param everyMs also reads it this often while the page is looked at: leases end and begin without an event
 */
export function useReread<T>(
  first: T,
  read: () => Promise<T>,
  everyMs?: number,
): { value: Signal<T>; reread: () => void } {
  const value = useSignal(first);
  const reread = () => {
    read().then(
      (found) => value.value = found,
      (error) => reportFailure({ sentence: t("networks.stale") }, error),
    );
  };
  useEffect(() => {
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const soon = () => {
      clearTimeout(waiting);
      waiting = setTimeout(reread, SETTLE_MS);
    };
    const stops = [live.networkChanges, live.counts].map((signal) => {
      let isFirst = true;
      // A subscription begins with what there is already.
      return signal.subscribe(() => isFirst ? isFirst = false : soon());
    });
    const timer = everyMs === undefined ? undefined : setInterval(() => {
      if (!document.hidden && live.controllable.peek()) reread();
    }, everyMs);
    return () => {
      for (const stop of stops) stop();
      clearTimeout(waiting);
      clearInterval(timer);
    };
  }, []);
  return { value, reread };
}

/** Carries out what a form of a network asks for, and says how it went. @returns whether it was done */
export async function sendNetworkForm(
  name: string,
  form: HTMLFormElement,
  submitter: HTMLElement | null,
): Promise<boolean> {
  const data = new FormData(form, submitter);
  const deed = networkDeed(data.get("action"));
  if (!deed) return false;
  try {
    await deed.run(api, name, data);
  } catch (error) {
    reportFailure({ sentence: t("networks.failed", { name: oneLine(name, 60) }) }, error);
    return false;
  }
  report(t(deed.done));
  return true;
}
