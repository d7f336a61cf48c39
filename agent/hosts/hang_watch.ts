/** Watches what of a host does not respond: libvirt itself, its parts, VMs and the mounts that their disks are on. */
import type { ConnectionStatus, Hang } from "../../lib/contract/host.ts";
import { hangEndText, hangText } from "../../lib/hangs/message.ts";
import type { Clock } from "../clock.ts";
import { HangReports } from "./hang_reports.ts";
import { HostHangs } from "./hangs.ts";
import { libvirtHang } from "./libvirt_hang.ts";
import type { LibvirtHost } from "./libvirt_host.ts";

type WatchedHost = Pick<
  LibvirtHost,
  "events" | "features" | "inventory" | "link" | "record" | "storageMounts"
>;

export class HangWatch {
  /** Reports of hangs, for the log and for alerts. */
  readonly reports: HangReports;
  readonly #hangs: HostHangs;
  /** libvirt was there, and did not answer, when its status changed last. */
  #isSilent = false;

  constructor(private readonly host: WatchedHost, clock: Clock) {
    this.#hangs = new HostHangs(
      host.link.gate,
      host.inventory,
      () => this.changed(),
      () => host.storageMounts?.list() ?? [],
    );
    this.reports = new HangReports(clock, {
      began: (hang) => this.#record("not-responding", hang, hangText(hang)),
      ended: (hang, ms) => this.#record("responds-again", hang, hangEndText(hang, ms)),
      changed: () => host.features.hangsChanged(),
    });
  }

  /** Hangs, longest first; libvirt itself, which says more than its parts, before all. */
  get silent(): readonly Hang[] {
    const whole = libvirtHang(this.host.link.status), told = this.#hangs.told();
    return whole.length === 0 ? told : [...whole, ...told.filter(({ about }) => about !== "host")];
  }

  /** When an object responded again, as {@link HostHangs.endedAt}. */
  endedAt(key: string): number | undefined {
    return this.#hangs.endedAt(key);
  }

  /** The status of the connection has changed. */
  onStatus(status: ConnectionStatus): void {
    const isSilent = libvirtHang(status).length > 0;
    if (isSilent || this.#isSilent) this.changed();
    this.#isSilent = isSilent;
  }

  /** Something does not respond any more, or does so again. */
  changed(): void {
    this.host.events.publish("hangs-changed", {});
    this.reports.update(this.silent);
  }

  #record(action: string, { vmId, name }: Hang, message: string): void {
    this.host.record({
      actor: "libvirt",
      door: "agent",
      action,
      result: "event",
      message,
      ...(vmId !== undefined && { vmId, vmName: name }),
    });
  }
}
