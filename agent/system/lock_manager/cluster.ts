/** A Pacemaker cluster that this host is in, as crm_mon tells. */
import type { HostCluster } from "../../../lib/contract/mod.ts";
import { isVmResource, readClusterState, readVmConfigs } from "../../../lib/formats/crm_mon.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { isSystemError } from "../../machine/files.ts";
import { hasProgram, ProgramLate, runProgram } from "../../machine/programs.ts";

/** Milliseconds that each program may take, and bytes that it may say. */
const LIMIT_MS = 5000, MOST_OUTPUT = 4 * 1024 * 1024;
/** All resources that are VMs, with what their agents were told. */
const VM_RESOURCES = "//primitive[@type='VirtualDomain']";

const NO_CLUSTER: HostCluster = {
  installed: false,
  error: null,
  quorum: false,
  fencing: false,
  maintenance: false,
  nodes: [],
  resources: [],
};

/** Output of a program, or the reason why there is none. */
async function saidBy(
  program: string,
  args: readonly string[],
): Promise<{ text: string } | { error: string }> {
  try {
    const { stdout } = await runProgram(program, args, { limitMs: LIMIT_MS, mostOutput: MOST_OUTPUT });
    return { text: stdout };
  } catch (error) {
    if (!(error instanceof ProgramLate) && !isSystemError(error)) throw error;
    return { error: messageOf(error) };
  }
}

/** Looks; nothing is changed. */
export async function hostCluster(): Promise<HostCluster> {
  if (!await hasProgram("crm_mon")) return NO_CLUSTER;
  const none = { ...NO_CLUSTER, installed: true };
  const said = await saidBy("crm_mon", ["--one-shot", "--inactive", "--output-as=xml"]);
  if ("error" in said) return { ...none, error: said.error };
  const reading = readClusterState(said.text);
  if ("error" in reading) return { ...none, error: reading.error };
  const { resources, ...cluster } = reading.cluster;
  const configs = resources.some(isVmResource)
    ? await saidBy("cibadmin", ["--query", "--xpath", VM_RESOURCES])
    : { text: "" };
  // Without it, VMs have the names of their resources
  const names = "text" in configs ? readVmConfigs(configs.text) : new Map<string, string>();
  return {
    installed: true,
    error: null,
    ...cluster,
    resources: resources.map(({ blocked: _, ...resource }) => ({
      ...resource,
      vm: isVmResource(resource) ? names.get(resource.id) ?? resource.id : null,
    })),
  };
}
