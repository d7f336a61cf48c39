/** Resolves the ESXi host or vCenter of a request, and whether a user has compared its certificate. */
import { ContractError, type Input } from "../../../../lib/contract/mod.ts";
import { type VmwarePlace, vmwarePlace } from "../../../../lib/formats/foreign/vm/vmware_place.ts";
import { shownFingerprint } from "../../../../lib/text/fingerprint.ts";
import { messageOf } from "../../../../lib/text/message.ts";
import { oneLine } from "../../../../lib/text/text.ts";
import { certificateAt, type TlsPlace } from "../../../outbound/pinned_tls.ts";
import { BrokenOff, outboundRefusal } from "../../../outbound/errors.ts";
import { requireAllowedAddress } from "../../../outbound/fetch.ts";
import { urlHost } from "../../../../lib/text/url_host.ts";
import type { ForeignServices } from "../model.ts";
import { message } from "../../../../lib/i18n/message.ts";

/** A server that may be spoken to. */
export interface EsxServer extends VmwarePlace {
  readonly tls: TlsPlace;
  /** SHA-256 of its certificate, 64 hexadecimal digits. */
  readonly fingerprint: string;
  /** Name shown to users. */
  readonly label: string;
}

/** A server that does not answer, or not as it should. */
export const unreachable = (source: string, error: unknown) =>
  new ContractError(
    "SourceUnreachable",
    { source, reason: `${oneLine(typeof error === "string" ? error : messageOf(error), 200)}.` },
    error instanceof Error ? { cause: error } : {},
  );

/** Its address, once it was judged. @throws {ContractError} SourceUnreachable */
async function addressOf({ host, port }: VmwarePlace, label: string): Promise<string> {
  try {
    const { addresses } = await requireAllowedAddress(new URL(`https://${urlHost(host)}:${port}`), true);
    return addresses[0]!;
  } catch (error) {
    const reason = error instanceof BrokenOff ? error.message : outboundRefusal(error);
    throw reason === undefined ? error : unreachable(label, reason);
  }
}

/**
 * The server that is meant, with a certificate that a person has compared. One that is given and is the same is remembered.
 *
 * @throws {ContractError} InvalidInput, SourceUnreachable, CertificateUnknown, CertificateChanged
 */
export async function esxServer(
  { host: { id }, choices }: Pick<ForeignServices, "host" | "choices">,
  { kind, origin, certificate }: Pick<Input<"list_foreign_vms">, "kind" | "origin" | "certificate">,
): Promise<EsxServer> {
  const place = vmwarePlace(kind === "vcenter" ? "vcenter" : "esxi", origin);
  if (typeof place === "string") {
    throw new ContractError("InvalidInput", { field: "origin", reason: message`origin ${place}` });
  }
  const { host, port } = place, label = `${urlHost(host)}${port === 443 ? "" : `:${port}`}`;
  const tls: TlsPlace = { host, port, address: await addressOf(place, label) };
  let shown: string;
  try {
    shown = await certificateAt(tls);
  } catch (error) {
    throw unreachable(label, error);
  }
  const key = `certificate:${host}:${port}` as const, before = choices.get(id, key);
  const given = certificate?.replaceAll(":", "").toLowerCase();
  const wanted = given ?? before;
  if (wanted === undefined) {
    throw new ContractError("CertificateUnknown", { source: label, fingerprint: shownFingerprint(shown) });
  }
  if (wanted !== shown) {
    throw new ContractError("CertificateChanged", {
      source: label,
      fingerprint: shownFingerprint(shown),
      before: shownFingerprint(wanted),
    });
  }
  if (given !== undefined) choices.set(id, key, shown);
  return { ...place, tls, fingerprint: shown, label };
}
