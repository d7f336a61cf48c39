/** Objects of calls: those whose locks a call takes in libvirt. */

/** An object of a host: `vm:UUID`, `pool:NAME`, `network:NAME`, `server:…`, `host:…` for a part of the host as a whole. */
export type ObjectKey = `${"vm" | "pool" | "network" | "server" | "host"}:${string}`;
/** An object, or all of a kind. */
export type CallKey = ObjectKey | "vms" | "pools" | "networks";

/** All objects of the kind of an object; undefined for kinds that no call takes as a whole. Pure. */
export function wholeOf(key: CallKey): CallKey | undefined {
  if (key.startsWith("vm:")) return "vms";
  if (key.startsWith("pool:")) return "pools";
  return key.startsWith("network:") ? "networks" : undefined;
}

type About<A> = (args: A) => readonly CallKey[];

export const none: About<unknown> = () => [];
export const allVms: About<unknown> = () => ["vms"];
export const allPools: About<unknown> = () => ["pools"];
export const allNetworks: About<unknown> = () => ["networks"];
export const hostPart = (part: string): About<unknown> => () => [`host:${part}`];

export const vm: About<{ readonly uuid: string }> = ({ uuid }) => [`vm:${uuid}`];
export const pool: About<{ readonly pool: string }> = ({ pool }) => [`pool:${pool}`];
export const network: About<{ readonly name: string }> = ({ name }) => [`network:${name}`];

/** The VM that a definition is of; none where libvirt is to choose its UUID. */
export const vmOfXml: About<{ readonly xml: string }> = ({ xml }) => {
  const uuid = /<uuid>\s*([0-9a-f-]{36})\s*<\/uuid>/i.exec(xml)?.[1];
  return uuid === undefined ? [] : [`vm:${uuid.toLowerCase()}`];
};

/** The pool of a volume that is given by its path; all of them where it is not known: libvirt looks through each then. */
export const poolOfPath: About<{ readonly pool?: string }> = ({ pool }) =>
  pool === undefined ? ["pools"] : [`pool:${pool}`];

/** A pool, and the one of the volume that is copied into it. */
export const poolAndSource: About<{ readonly pool: string; readonly source: { readonly pool?: string } }> = (
  { pool, source },
) => [`pool:${pool}`, ...poolOfPath(source)];

/** A server that is asked for its pools. */
export const server: About<{ readonly type: string; readonly spec: string | null }> = ({ type, spec }) => [
  `server:${type} ${spec ?? ""}`,
];
