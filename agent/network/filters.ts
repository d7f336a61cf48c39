/** The network filters of libvirt. */
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { ContractError, type filterCommands, type NicFilter } from "../../lib/contract/mod.ts";
import { type FilterSummary, readFilter } from "../../lib/formats/xml/filter.ts";
import type { Handlers } from "../dispatch.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";

const MISSING = "libvirt has no driver for them; install libvirt-daemon-driver-nwfilter and " +
  "libvirt-daemon-config-nwfilter, and restart libvirtd";

/** Why libvirt has no filters, when that is what an error says. */
export function filtersMissing(error: unknown): string | undefined {
  if (!(error instanceof LibvirtError) || error.kind !== "libvirt") return undefined;
  return error.code === VIR_ERR.NO_SUPPORT || /virtnwfilterd/.test(error.message) ? MISSING : undefined;
}

/** Says of a libvirt without filters what to install; rethrows anything else. @throws {ContractError} NotOnThisHost */
export function noFilters(error: unknown): never {
  const reason = filtersMissing(error);
  if (reason === undefined) throw error;
  throw new ContractError("NotOnThisHost", { what: "Network filters", reason }, { cause: error });
}

/** Parameters of a filter and of all it includes. A circle, which libvirt refuses to define, ends. */
function parametersOf(
  name: string,
  all: ReadonlyMap<string, FilterSummary>,
  seen = new Set<string>(),
): string[] {
  const own = all.get(name);
  if (own === undefined || seen.has(name)) return [];
  seen.add(name);
  return [...own.parameters, ...own.includes.flatMap((each) => parametersOf(each, all, seen))];
}

async function filters({ link }: LibvirtHost): Promise<NicFilter[]> {
  const records = await link.call("filterScan").catch(noFilters);
  const summaries = new Map(records.map(({ name, xml }) => [name, readFilter(xml)]));
  return records.map(({ name, uuid, xml }): NicFilter => {
    const { includes, rules } = summaries.get(name)!;
    const parameters = [...new Set(parametersOf(name, summaries))].sort();
    return { name, uuid, includes: [...includes], parameters, rules, xml };
  }).sort((a, b) => a.name < b.name ? -1 : 1);
}

/** A handler for the command on filters. */
export function filterHandlers(host: LibvirtHost): Pick<Handlers, keyof typeof filterCommands> {
  return { list_nic_filters: () => filters(host) };
}
