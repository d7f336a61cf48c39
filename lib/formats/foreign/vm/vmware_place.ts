/** How people name an ESXi host or a vCenter, and what libvirt and its datastores are called by. Pure. */
const HTTPS = 443;
const HOST =
  /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?))(?::(\d{1,5}))?$/;

// deno-lint-ignore no-control-regex -- they are what is refused
const CONTROL = /[\u0000-\u001f\u007f]/;

/** A server of VMware. */
export interface VmwarePlace {
  /** Its name or address, without the brackets of an IPv6 address. */
  readonly host: string;
  readonly port: number;
  /** Of vCenter: its path of an ESXi host, `Datacenter/Cluster/esxi1`; empty for an ESXi host itself. */
  readonly path: string;
}

/** Reads one. @returns why it is none, after `origin` */
export function vmwarePlace(kind: "esxi" | "vcenter", text: string): VmwarePlace | string {
  const plain = text.trim().replace(/^https:\/\//i, "").replace(/\/+$/, ""),
    [named = "", ...segments] = plain.split("/");
  const [, address, name, port] = HOST.exec(named) ?? [], host = address ?? name;
  if (host === undefined) return "names no server: give its name or address, with a port where it is not 443";
  const number = port === undefined ? HTTPS : Number(port);
  if (number < 1 || number > 65_535) return "has no port from 1 to 65535";
  if (
    segments.some((each) => each === "" || each === "." || each === ".." || CONTROL.test(each))
  ) {
    return "has a path with an empty part";
  }
  if (kind === "esxi" && segments.length > 0) return "is more than a server: an ESXi host has no path";
  if (kind === "vcenter" && segments.length < 2) {
    return "needs the path of an ESXi host behind the server: vcenter1/Datacenter/Cluster/esxi1";
  }
  return { host, port: number, path: segments.join("/") };
}

/** libvirt's connection URI for a server that is reached by a relay here. */
export const relayUri = ({ path }: VmwarePlace, port: number): string => {
  const segments = path === "" ? "" : path.split("/").map(encodeURIComponent).join("/");
  return `${path === "" ? "esx" : "vpx"}://127.0.0.1:${port}/${segments}?transport=http`;
};

/** A file of a datastore. */
export interface DatastoreFile {
  readonly datacenter: string;
  readonly datastore: string;
  /** From the datastore's root: `web/web.vmx`. */
  readonly path: string;
}

/**
 * URL path to download a file of a datastore from, from the server's root. Source: vSphere's "HTTP Access to vSphere
 * Server Files".
 */
export const folderPath = ({ datacenter, datastore, path }: DatastoreFile): string =>
  `/folder/${path.split("/").map(encodeURIComponent).join("/")}?` +
  `dcPath=${encodeURIComponent(datacenter)}&dsName=${encodeURIComponent(datastore)}`;

/** The file that such an address names; undefined for another one. */
export function fileOfFolderPath(address: string): DatastoreFile | undefined {
  const url = URL.parse(address, "https://server");
  if (url === null || !url.pathname.startsWith("/folder/")) return undefined;
  const datacenter = url.searchParams.get("dcPath"), datastore = url.searchParams.get("dsName");
  if (datacenter === null || datastore === null) return undefined;
  try {
    return { datacenter, datastore, path: decodeURIComponent(url.pathname.slice("/folder/".length)) };
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    return undefined;
  }
}

const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/") + 1);

/**
 * File of a disk of a `.vmx` file.
 *
 * @param vmx the file itself
 * @param place the disk's path in it: `web.vmdk`, `/vmfs/volumes/5f0a-1/other/data.vmdk`
 * @param sources the disks as libvirt names them: `[datastore1] other/data.vmdk`
 * @returns undefined if it cannot be found out
 */
export function diskFile(
  vmx: DatastoreFile,
  place: string,
  sources: readonly string[],
): DatastoreFile | undefined {
  if (!place.startsWith("/")) {
    return place.includes("..") ? undefined : { ...vmx, path: `${folderOf(vmx.path)}${place}` };
  }
  const [, rest] = /^\/vmfs\/volumes\/[^/]+\/(.+)$/.exec(place) ?? [];
  const found = sources.flatMap((source) => {
    const [, datastore, path] = /^\[([^\]]{1,255})\] (.{1,1024})$/.exec(source) ?? [];
    return datastore !== undefined && path === rest ? [{ ...vmx, datastore, path: path! }] : [];
  });
  return found.length === 1 ? found[0] : undefined;
}
