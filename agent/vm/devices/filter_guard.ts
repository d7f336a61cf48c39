/**
 * Permission to loosen a network filter. An administrator gives a card a filter so that the VM cannot send under
 * another's address; a user who only operates that VM must not get around it: not by changing the filtered card, not by
 * replacing it, not by another card of the VM.
 */
import { PERMISSIONS } from "../../../lib/access/permissions.ts";
import { may } from "../../../lib/access/rights.ts";
import { ContractError, HOST_NETWORK } from "../../../lib/contract/mod.ts";
import { nicOf } from "../../../lib/formats/xml/device_diff.ts";
import type { NicChange } from "../../../lib/formats/xml/device_nic.ts";
import { children } from "../../../lib/formats/xml/tree.ts";
import type { Principal } from "../../access.ts";
import { type Configurations, nicIn } from "./configurations.ts";

/** The principal who changes a card, and the host of its VM. */
interface Who extends Pick<Principal, "rights"> {
  readonly hostId: string;
}

/** @throws {ContractError} Forbidden */
function requireHostNetwork({ rights, hostId }: Who): void {
  if (may(rights, HOST_NETWORK, { hostId })) return;
  throw new ContractError("Forbidden", { role: PERMISSIONS.get(HOST_NETWORK)!.role });
}

const filtersOf = ({ live, next }: Configurations, mac: string) =>
  [nicIn(live, mac), nicIn(next, mac)].flatMap((card) => card ? [nicOf(card).filter] : []);

/** For a card that is to be added. @throws {ContractError} Forbidden where another card of the VM has a filter */
export function guardNewNic(who: Who, { live, next }: Configurations): void {
  const cards = [live, next].flatMap((document) => children(document?.find("devices"), "interface"));
  if (cards.some((card) => nicOf(card).filter !== undefined)) requireHostNetwork(who);
}

/** For a card that is to go. @throws {ContractError} Forbidden where it has a filter */
export function guardDetachedNic(who: Who, configurations: Configurations, mac: string): void {
  if (filtersOf(configurations, mac).some((filter) => filter !== undefined)) requireHostNetwork(who);
}

/** For a card that is to be changed. @throws {ContractError} Forbidden where its filter would let more through */
export function guardChangedNic(
  who: Who,
  configurations: Configurations,
  mac: string,
  { filter, filterAddresses, mac: newMac }: Pick<NicChange, "filter" | "filterAddresses" | "mac">,
): void {
  const isLoosened = (has: string | undefined) =>
    has !== undefined &&
    ((filter !== undefined && filter !== has) || filterAddresses !== undefined || newMac !== undefined);
  if (filtersOf(configurations, mac).some(isLoosened)) requireHostNetwork(who);
}
