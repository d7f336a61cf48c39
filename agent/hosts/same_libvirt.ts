/**
 * Finds out whether two connections lead to one libvirt. What is deleted on one of them would be gone on the other, whose
 * templates, bin and VMs the first does not know. URIs do not tell: one libvirt has many.
 */
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { renderXml, xml } from "../../lib/formats/xml/build.ts";
import type { LibvirtCaller } from "../libvirt/link.ts";
import { log } from "../log.ts";
import { within } from "../within.ts";

/** Milliseconds that the others have. */
const LOOK_MS = 2000;

/** A libvirt that another one is compared with. */
export interface ComparedLibvirt {
  readonly id: string;
  readonly call: LibvirtCaller;
}

/** A secret that libvirt keeps in memory alone: a mark that whoever connects to it finds. */
const markXml = (usage: string) =>
  renderXml(xml(
    "secret",
    { ephemeral: true, private: true },
    xml("description", {}, "KVM Manager compares its hosts; removed at once"),
    xml("usage", { type: "volume" }, xml("volume", {}, usage)),
  ));

const keepsNoSecrets = (error: unknown): boolean =>
  error instanceof LibvirtError && error.code === VIR_ERR.NO_SUPPORT;

/**
 * Marks a libvirt for a moment and looks for the mark on the others. One that does not say is not taken for the same: hosts
 * are compared again whenever one connects.
 *
 * @returns the one of the others that is the same libvirt; undefined where none is known to be
 */
export async function sameLibvirt<T extends ComparedLibvirt>(
  call: LibvirtCaller,
  others: readonly T[],
): Promise<T | undefined> {
  if (others.length === 0) return undefined;
  const path = `/kvm-manager/compared/${crypto.randomUUID()}`;
  try {
    await call("secretMake", { xml: markXml(path), value: new TextEncoder().encode("compared") });
  } catch (error) {
    if (!keepsNoSecrets(error)) log.warn("a libvirt cannot be compared with the others", { error });
    return undefined;
  }
  try {
    const found: (T | undefined)[] = [];
    const looks = others.map(async (other) =>
      void found.push(await hasMark(other, path) ? other : undefined)
    );
    await within(LOOK_MS, Promise.all(looks));
    return found.find((other) => other !== undefined);
  } finally {
    await call("secretForget", { path }).catch((error) => {
      log.warn("a mark of a comparison stays in libvirt's memory", { path, error });
    });
  }
}

async function hasMark({ id, call }: ComparedLibvirt, path: string): Promise<boolean> {
  try {
    return await call("secretOfVolume", { path }) !== null;
  } catch (error) {
    if (!keepsNoSecrets(error)) {
      log.info("a libvirt does not say whether it is the same", { host: id, error });
    }
    return false;
  }
}
