/** passt: a process that forwards a guest's traffic as the host's own. */
import { renderXml, xml } from "../../lib/formats/xml/build.ts";
import { trialFault, unacceptableName } from "../../lib/formats/xml/trial.ts";
import type { LibvirtLink } from "../libvirt/link.ts";

/** Paths at which libvirt looks for passt. */
const PLACES = ["/usr/bin/passt", "/usr/local/bin/passt", "/bin/passt"];
/** The first QEMU that can talk to it: 7.2.0. */
const QEMU_SINCE = 7_002_000;

/** A VM with such a card, which libvirt examines and then refuses for its name. */
const TRIAL = renderXml(
  xml(
    "domain",
    { type: "qemu" },
    xml("name", {}, unacceptableName("kvm-manager")),
    xml("memory", { unit: "MiB" }, 64),
    xml("os", {}, xml("type", {}, "hvm")),
    xml("devices", {}, xml("interface", { type: "user" }, xml("backend", { type: "passt" }))),
  ),
);

/** Whether cards can be forwarded by passt. */
export class Passt {
  #known: { readonly since: number; readonly refusal: Promise<string | undefined> } | undefined;

  constructor(private readonly link: Pick<LibvirtLink, "call" | "machine" | "status">) {}

  /** Why it cannot be; undefined where it can, or where that cannot be told. @throws {LibvirtError} */
  async missing(): Promise<string | undefined> {
    const refusal = await this.#refusal();
    const { machine } = this.link;
    if (refusal !== undefined || machine === null) return refusal;
    for (const path of PLACES) if (await machine.files.isThere(path)) return undefined;
    return "install the package passt";
  }

  /** Asked once a connection: behind the next one there may be another libvirt. */
  #refusal(): Promise<string | undefined> {
    const { since } = this.link.status;
    if (this.#known?.since !== since) {
      const refusal = this.#ask();
      this.#known = { since, refusal };
      refusal.catch(() => this.#known = undefined);
    }
    return this.#known!.refusal;
  }

  async #ask(): Promise<string | undefined> {
    // Its version does not tell: Debian 12 has one that knows passt, built without it.
    const fault = trialFault(await this.link.call("domainValidateXml", { xml: TRIAL }), TRIAL);
    if (fault?.message.includes("passt")) return "this libvirt does not know it, or is built without it";
    const { type, hypervisorVersion } = await this.link.call("nodeInfo");
    return type === "QEMU" && hypervisorVersion < QEMU_SINCE
      ? "QEMU knows it from version 7.2 on"
      : undefined;
  }
}
