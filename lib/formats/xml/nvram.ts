/** The file of a UEFI VM's variables, apart from the VM. */
import { renderXml, xml } from "./build.ts";
import { XmlDocument } from "./edit.ts";
import { nvramOf } from "./identity.ts";
import { child } from "./tree.ts";

/** Folder where libvirt's system daemon puts the NVRAM of a domain that names only its kind of firmware. */
const FOLDER = "/var/lib/libvirt/qemu/nvram";

/**
 * Path where libvirt looks for the variables of a domain of this name at a start, when it names only its kind of
 * firmware.
 */
export const usualNvram = (name: string): string => `${FOLDER}/${name}_VARS.fd`;

/** Whether a domain leaves it to libvirt where its variables are: its stored XML has no path then, started or not. */
export const hasUsualNvram = (document: XmlDocument): boolean =>
  nvramOf(document) === undefined && document.find("os")?.attributes.firmware === "efi";

/** The file of a domain's UEFI variables; undefined where it has none, or that is not known before its first start. */
export function nvramPath(document: XmlDocument): string | undefined {
  const name = child(document.root, "name")?.text ?? "";
  return nvramOf(document) ?? (hasUsualNvram(document) ? usualNvram(name) : undefined);
}

/** Whether a domain's firmware keeps variables: libvirt defines no domain of another kind with a path for them. */
export function keepsVariables(document: XmlDocument): boolean {
  const os = document.find("os");
  return os?.attributes.firmware === "efi" || child(os, "loader")?.attributes.type === "pflash";
}

/** Has a domain keep its variables at a path, whatever its XML named; undefined: where libvirt has them. */
export function setNvram(document: XmlDocument, path: string | undefined): void {
  const os = () => document.find("os");
  const { template } = document.find("os", "nvram")?.attributes ?? {};
  document.removeAll("os", "nvram");
  if (os() === undefined || (path === undefined && template === undefined)) return;
  document.append(os()!, xml("nvram", { template }, path));
}

/**
 * A domain that has the NVRAM file of another one and nothing else, under a name and an id of its own: libvirt deletes
 * such a file only together with a domain.
 *
 * @param source the other domain's XML
 * @returns undefined where it has no NVRAM file
 */
export function nvramHolder(source: string, uuid: string): string | undefined {
  const document = new XmlDocument(source);
  const { root } = document;
  const os = document.find("os");
  const firmware = os?.attributes.firmware === "efi" ? "efi" : undefined;
  const path = nvramOf(document) ?? (firmware && usualNvram(child(root, "name")?.text ?? ""));
  const type = child(os, "type"), loader = child(os, "loader")?.text.trim();
  if (path === undefined || type === undefined || !(loader || firmware)) return undefined;
  const { arch, machine } = type.attributes;
  return renderXml(
    xml(
      "domain",
      { type: root.attributes.type },
      xml("name", {}, `nvram-${uuid}`),
      xml("uuid", {}, uuid),
      xml("memory", { unit: "MiB" }, "64"),
      xml(
        "os",
        loader ? {} : { firmware },
        xml("type", { arch, machine }, "hvm"),
        ...loader ? [xml("loader", { readonly: "yes", type: "pflash" }, loader)] : [],
        xml("nvram", {}, path),
      ),
      xml("features", {}, xml("acpi", {})), // UEFI is refused without
    ),
  );
}

/**
 * The file of a domain's variables, and where a copy of the domain has its own; undefined where there are none.
 *
 * @param from the domain's name
 * @param to the copy's
 * @param ownPath makes the copy's path of the domain's
 */
export function nvramPaths(
  document: XmlDocument,
  from: string,
  to: string,
  ownPath: (path: string, from: string, to: string) => string,
): { readonly from: string; readonly to: string } | undefined {
  const path = nvramOf(document);
  if (path !== undefined) return { from: path, to: ownPath(path, from, to) };
  return hasUsualNvram(document) ? { from: usualNvram(from), to: usualNvram(to) } : undefined;
}
