/** The libvirts of the other hosts, with which that of a host is compared whenever it connects. */
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import type { LibvirtCaller } from "../libvirt/link.ts";
import type { LibvirtHost } from "./libvirt_host.ts";
import { type ComparedLibvirt, sameLibvirt } from "./same_libvirt.ts";

interface Other extends ComparedLibvirt {
  readonly label: string;
}

export class OtherLibvirts {
  /** The label of the host whose libvirt this one's connection leads to as well; it is not served then. */
  sameAs: string | undefined;

  constructor(
    private readonly host: Pick<LibvirtHost, "id" | "link">,
    private readonly hosts: { all(): readonly LibvirtHost[] },
  ) {}

  /** Those that answer. */
  #others(): readonly Other[] {
    return this.hosts.all().filter(({ id, link }) => id !== this.host.id && link.status.connected)
      .map(({ id, label, link }) => ({ id, label, call: (name, ...args) => link.call(name, ...args) }));
  }

  /**
   * Refuses a libvirt that is another host's: what is deleted there would be gone for that one.
   *
   * @returns why it is not served; undefined where it is
   */
  async refusal(call: LibvirtCaller): Promise<string | undefined> {
    if (this.host.id === LOCAL_HOST) return undefined;
    const same = await sameLibvirt(call, this.#others());
    this.sameAs = same?.label;
    return same &&
      `This connection leads to the libvirt of ${same.label}. Remove this host, or change its connection.`;
  }

  /** Compares once more: two that connect at the same time do not see each other before. The later host gives way. */
  async compare(): Promise<void> {
    const { id, link } = this.host;
    const same = await sameLibvirt((name, ...args) => link.call(name, ...args), this.#others());
    if (same === undefined) return;
    const later = this.hosts.all().findLast((host) => host.id === id || host.id === same.id);
    await later?.link.reconnect("It is compared with the other hosts.");
  }
}
