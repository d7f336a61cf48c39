/** A machine's two configurations – what runs, what starts next – and which of them a change is meant for. */
import { ContractError, type ErrorCode, type VM } from "../../../lib/contract/mod.ts";
import { normalMac } from "../../../lib/xml/device_nic.ts";
import { XmlDocument } from "../../../lib/xml/edit.ts";
import { child, children, type XmlElement } from "../../../lib/xml/tree.ts";
import { contractError } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import type { VmServices } from "../services.ts";

/** Which configurations a change is made in. */
export interface Places {
  readonly live: boolean;
  readonly config: boolean;
}

/** What a caller may say about that. */
export interface Wish {
  readonly live?: boolean;
  readonly persistent?: boolean;
}

/**
 * Where a change is to be made: where it was asked for, else everywhere it can be.
 *
 * @throws {ContractError} VmNotRunning, VmNotPersistent; InvalidInput when nothing is left
 */
export function placesOf({ inventory }: VmServices, vm: VM, { live, persistent }: Wish): Places {
  const active = inventory.active().includes(vm.id);
  if (live === true && !active) throw new ContractError("VmNotRunning");
  if (persistent === true && !vm.persistent) throw new ContractError("VmNotPersistent");
  const places = { live: live ?? active, config: persistent ?? vm.persistent };
  if (!places.live && !places.config) {
    throw new ContractError("InvalidInput", {
      reason: "neither the running VM (live) nor its next start (persistent) is to be changed",
    });
  }
  return places;
}

/** A machine's configurations, to read and to edit; undefined is one it does not have. */
export interface Configurations {
  readonly live: XmlDocument | undefined;
  readonly next: XmlDocument | undefined;
}

/** Reads a machine's configurations. @throws {LibvirtError} */
export async function configurationsOf({ link, inventory }: VmServices, vm: VM): Promise<Configurations> {
  const read = async (inactive: boolean) =>
    new XmlDocument(await link.call("domainXml", { uuid: vm.id, secure: false, inactive }));
  const active = inventory.active().includes(vm.id);
  return {
    live: active ? await read(false) : undefined,
    next: vm.persistent || !active ? await read(true) : undefined,
  };
}

const devices = (document: XmlDocument | undefined, name: string) =>
  children(document?.find("devices"), name);

/** The disk with this target. */
export function diskIn(document: XmlDocument | undefined, target: string): XmlElement | undefined {
  return devices(document, "disk").find((each) => child(each, "target")?.attributes.dev === target);
}

/** The network card with this address. */
export function nicIn(document: XmlDocument | undefined, mac: string): XmlElement | undefined {
  return devices(document, "interface").find((each) =>
    normalMac(child(each, "mac")?.attributes.address ?? "") === mac
  );
}

/** The targets of all disks in both configurations. */
export function targetsIn({ live, next }: Configurations): Set<string> {
  return new Set(
    [live, next].flatMap((document) => devices(document, "disk"))
      .map((each) => child(each, "target")?.attributes.dev ?? ""),
  );
}

/** Whether a configuration has a controller of this type. */
export function hasController(document: XmlDocument | undefined, type: string): boolean {
  return devices(document, "controller").some((each) => each.attributes.type === type);
}

/** What libvirt said no with, as this error of the contract, with the details its text needs. */
export function deviceError(
  thrown: unknown,
  code: ErrorCode,
  operation: string,
  details: Record<string, unknown> = {},
): unknown {
  const error = contractError(thrown, code, operation);
  if (!(error instanceof ContractError) || error.code !== code || error === thrown) return error;
  return new ContractError(code, { ...error.details, ...details }, { cause: thrown });
}

/** Steps to take back, last first, when a later one fails. */
export class Undo {
  readonly #steps: { what: string; back: () => Promise<unknown> }[] = [];

  /** Remembers how to take a step back. @param what what could not be done, for the log */
  add(what: string, back: () => Promise<unknown>): void {
    this.#steps.push({ what, back });
  }

  /** Takes every step back. One that cannot be is logged: the error that led here is the one to tell. */
  async run(): Promise<void> {
    for (const { what, back } of this.#steps.splice(0).reverse()) {
      try {
        await back();
      } catch (error) {
        log.error(`could not take back: ${what}`, { error });
      }
    }
  }
}
