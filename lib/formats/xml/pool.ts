/** libvirt's pool XML ⇄ what we know of a pool. */
import type { PoolType } from "../../contract/choices.ts";
import { urlHost } from "../../text/url_host.ts";
import { POOL_KINDS, type PoolField } from "../../storage/pool_types.ts";
import { renderXml, xml } from "./build.ts";
import { child, children, childText, parseXml } from "./tree.ts";

/** A pool to be made. */
export type NewPool =
  & { readonly name: string; readonly type: PoolType }
  & {
    readonly [K in PoolField]?: string | undefined;
  };

const slashless = (path: string) => path.length > 1 ? path.replace(/\/+$/, "") : path;

/** Path where the volumes of a new pool appear; undefined for types without a place on the host. */
export function poolTarget({ type, name, path, sourceName }: NewPool): string | undefined {
  const usual = POOL_KINDS[type].target?.replace("{name}", name).replace("{source}", sourceName ?? name);
  const target = path ?? usual;
  return target === undefined ? undefined : slashless(target);
}

/** The XML that makes a pool. */
export function newPoolXml(pool: NewPool, uuid?: string): string {
  const { name, type, device, sourceHost, sourcePath, sourceName, format, username, secret } = pool;
  const path = poolTarget(pool);
  const source = [
    sourceHost !== undefined && hostOf(sourceHost),
    device !== undefined && xml("device", { path: device }),
    sourcePath !== undefined && xml("dir", { path: sourcePath }),
    sourceName !== undefined && xml("name", {}, sourceName),
    format !== undefined && xml("format", { type: format }),
    type === "logical" && xml("format", { type: "lvm2" }),
    username !== undefined &&
    xml("auth", { type: "ceph", username }, xml("secret", { uuid: secret })),
  ].filter((each) => each !== false);
  return renderXml(xml(
    "pool",
    { type },
    xml("name", {}, name),
    uuid !== undefined && xml("uuid", {}, uuid),
    source.length > 0 && xml("source", {}, ...source),
    path !== undefined && xml("target", {}, xml("path", {}, path)),
  ));
}

/** `host`, `host:port`, `[address]:port`, or an IPv6 address. */
function hostOf(text: string) {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  return xml("host", { name: bracketed ?? plain ?? text, port });
}

/** Source specification to search a server for sources. */
export function sourceSpecXml(host: string): string {
  return renderXml(xml("source", {}, hostOf(host)));
}

/** Something a pool can be made of; the fields are those of a new pool. */
export type FoundSource = { readonly [K in "sourceHost" | "sourcePath" | "sourceName" | "device"]?: string };

/** Reads what libvirt found. @throws {XmlError} */
export function foundSources(text: string): FoundSource[] {
  return children(parseXml(text), "source").map((source) => {
    const { name: host, port } = child(source, "host")?.attributes ?? {};
    const sourcePath = child(source, "dir")?.attributes.path;
    const sourceName = childText(source, "name");
    const device = child(source, "device")?.attributes.path;
    const address = host && urlHost(host);
    return {
      ...(address !== undefined && { sourceHost: port === undefined ? address : `${address}:${port}` }),
      ...(sourcePath !== undefined && { sourcePath }),
      ...(sourceName !== undefined && { sourceName }),
      // A volume group is found by its name; what it is made of is its own affair.
      ...(device !== undefined && sourceName === undefined && { device }),
    };
  });
}

/** Fields of a pool in its XML, without its figures. */
export interface PoolDescription {
  readonly type: string;
  /** Folder on the host where its volumes appear. */
  readonly path: string | undefined;
  /** Source of its volumes, in a line: a device, an export, a volume group. */
  readonly source: string | undefined;
}

/** Reads a pool's XML. @throws {XmlError} */
export function describePool(text: string): PoolDescription {
  const root = parseXml(text);
  const source = child(root, "source");
  const host = child(source, "host")?.attributes.name;
  const name = childText(source, "name");
  const place = child(source, "dir")?.attributes.path ?? child(source, "device")?.attributes.path ??
    child(source, "adapter")?.attributes.name;
  const inside = [name, place].filter((part) => part !== undefined && part !== "").join(" ");
  const whole = [host, inside].filter((part) => part !== undefined && part !== "").join(":");
  return {
    type: root.attributes.type ?? "",
    path: childText(child(root, "target"), "path"),
    source: whole === "" ? undefined : whole,
  };
}
