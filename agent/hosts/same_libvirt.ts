/**
 * Finds out whether two connections lead to one libvirt. What is deleted on one of them would be gone on the other, whose
 * templates, bin and VMs the first does not know. URIs do not tell: one libvirt has many.
 */
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { renderXml, xml } from "../../lib/formats/xml/build.ts";
import type { LibvirtCaller } from "../libvirt/link.ts";
import { log } from "../log.ts";

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
 * Marks a libvirt for a moment and looks for the mark on the others.
 *
 * @returns the one of the others that is the same libvirt; undefined where there is none, or libvirt keeps no secrets
 * @throws {LibvirtError} when the mark cannot be made or looked for
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
    if (keepsNoSecrets(error)) return undefined;
    throw error;
  }
  try {
    const found = await Promise.all(
      others.map(async (other) => await hasMark(other, path) ? other : undefined),
    );
    return found.find((other) => other !== undefined);
  } finally {
    await call("secretForget", { path }).catch((error) => {
      log.warn("a mark of a comparison stays in libvirt's memory", { path, error });
    });
  }
}

async function hasMark({ call }: ComparedLibvirt, path: string): Promise<boolean> {
  try {
    return await call("secretOfVolume", { path }) !== null;
  } catch (error) {
    if (keepsNoSecrets(error)) return false;
    throw error;
  }
}
