/**
 * Parser for the state of a Pacemaker cluster (`crm_mon --output-as=xml`) and its VMs (`cibadmin`). Both report the
 * words of other hosts: everything is bounded and checked before it is used. Source: crm_mon(8), api-result-2.25.rng.
 * Pure.
 */
import Type, { type Static } from "typebox";
import { fits } from "typebox/compile";
import { oneLine } from "../text/text.ts";
import { refusedOutright } from "./xml/trial.ts";
import { child, children, parseXml, type XmlElement, XmlError } from "./xml/tree.ts";

/** Nodes, resources and VMs that are read; a cluster has at most 32 nodes. */
const MOST_NODES = 64, MOST_RESOURCES = 1000;
/** Characters of a name that is shown. */
const LONGEST_NAME = 100;

const Name = Type.String({ minLength: 1, maxLength: LONGEST_NAME + 1 }); // what was cut ends with …
const Node = Type.Object({
  name: Name,
  online: Type.Boolean(),
  standby: Type.Boolean(),
  maintenance: Type.Boolean(),
  /** It is not known whether it still writes: it has to be fenced first. */
  unclean: Type.Boolean(),
});
const Resource = Type.Object({
  id: Name,
  /** `ocf:heartbeat:VirtualDomain`. */
  agent: Name,
  role: Name,
  managed: Type.Boolean(),
  failed: Type.Boolean(),
  blocked: Type.Boolean(),
  /** Nodes that it runs on. */
  nodes: Type.Array(Name, { maxItems: MOST_NODES }),
});
const Cluster = Type.Object({
  quorum: Type.Boolean(),
  /** Hosts that do not answer are switched off before their resources start elsewhere. */
  fencing: Type.Boolean(),
  maintenance: Type.Boolean(),
  nodes: Type.Array(Node, { maxItems: MOST_NODES }),
  resources: Type.Array(Resource, { maxItems: MOST_RESOURCES }),
});
export type ClusterState = Static<typeof Cluster>;
export type ClusterResource = Static<typeof Resource>;

/** State of a cluster, or the error of reading it. */
export type ClusterReading = { readonly cluster: ClusterState } | { readonly error: string };

const isTrue = (element: XmlElement | undefined, name: string) => element?.attributes[name] === "true";
const named = (element: XmlElement, name = "name") => oneLine(element.attributes[name] ?? "", LONGEST_NAME);

/** Every resource, also those in groups, clones and bundles; each id once. */
function* resourcesIn(element: XmlElement): Generator<XmlElement> {
  for (const each of element.children) {
    if (each.name === "resource") yield each;
    else yield* resourcesIn(each);
  }
}

/** A clone is there once for each host: as one resource. */
function merged(resources: readonly ClusterResource[]): ClusterResource[] {
  const byId = new Map<string, ClusterResource>();
  for (const each of resources) {
    const before = byId.get(each.id);
    byId.set(
      each.id,
      before === undefined ? each : {
        ...before,
        role: before.nodes.length > 0 ? before.role : each.role,
        managed: before.managed && each.managed,
        failed: before.failed || each.failed,
        blocked: before.blocked || each.blocked,
        nodes: [...new Set([...before.nodes, ...each.nodes])],
      },
    );
  }
  return [...byId.values()];
}

function readResource(element: XmlElement): ClusterResource {
  return {
    id: named(element, "id"),
    agent: named(element, "resource_agent"),
    role: named(element, "role"),
    managed: isTrue(element, "managed"),
    failed: isTrue(element, "failed"),
    blocked: isTrue(element, "blocked"),
    nodes: children(element, "node").map((node) => named(node)),
  };
}

/** An XML document of another program; what could harm the reader is refused. @throws {XmlError} */
function documentOf(text: string): XmlElement {
  const refused = refusedOutright(text);
  if (refused !== null) throw new XmlError(refused.message, 0);
  return parseXml(text);
}

function errorsIn(root: XmlElement): string {
  const status = child(root, "status");
  const said = status && child(status, "errors");
  const texts = said === undefined ? [] : children(said, "error").map(({ text }) => text);
  return oneLine(
    (texts[0] ?? status?.attributes.message ?? "it gives no state").replace(/^error:\s*/, ""),
    300,
  );
}

/** Reads what crm_mon has printed. */
export function readClusterState(text: string): ClusterReading {
  try {
    const root = documentOf(text);
    const summary = child(root, "summary"), resources = child(root, "resources");
    if (root.name !== "pacemaker-result" || summary === undefined) return { error: errorsIn(root) };
    const options = child(summary, "cluster_options"), nodes = child(root, "nodes");
    const cluster = {
      quorum: isTrue(child(summary, "current_dc"), "with_quorum"),
      fencing: isTrue(options, "stonith-enabled"),
      maintenance: isTrue(options, "maintenance-mode"),
      nodes: (nodes === undefined ? [] : children(nodes, "node")).map((node) => ({
        name: named(node),
        online: isTrue(node, "online"),
        standby: isTrue(node, "standby"),
        maintenance: isTrue(node, "maintenance"),
        unclean: isTrue(node, "unclean"),
      })),
      resources: merged((resources === undefined ? [] : [...resourcesIn(resources)]).map(readResource)),
    };
    return fits(Cluster, cluster)
      ? { cluster }
      : { error: "its state is not what crm_mon is known to print" };
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    return { error: `its state cannot be read: ${oneLine(error.message, 200)}` };
  }
}

/** Whether a resource is a VM. */
export const isVmResource = ({ agent }: Pick<ClusterResource, "agent">): boolean =>
  /^ocf:\w+:VirtualDomain$/.test(agent);

/**
 * Names of VMs by the ids of their resources: the file of a VM's definition has its name. Source: `cibadmin --query
 * --xpath`, which prints one element, or several below `<xpath-query>`.
 */
export function readVmConfigs(text: string): Map<string, string> {
  const found = new Map<string, string>();
  try {
    const root = documentOf(text);
    const all = root.name === "primitive" ? [root] : children(root, "primitive");
    for (const primitive of all.slice(0, MOST_RESOURCES)) {
      const values = children(primitive, "instance_attributes").flatMap((each) => children(each, "nvpair"));
      const config = values.find(({ attributes }) => attributes.name === "config")?.attributes.value;
      const name = /([^/]+?)(?:\.xml)?$/.exec(config ?? "")?.[1];
      if (name !== undefined) found.set(named(primitive, "id"), oneLine(name, 256));
    }
  } catch (error) {
    if (!(error instanceof XmlError)) throw error; // what is not known is not named
  }
  return found;
}
