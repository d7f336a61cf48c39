/** Data of the page that compares VMs: read by its route first, then by its island. */
import { type ChartSet, type ComparedPast, comparedSet } from "../metrics/chart_data.ts";
import { COMPARED, ofHost } from "../metrics/charts.ts";
import { HOST_LINE } from "../metrics/compare_href.ts";
import { type PageRange, rangeInput } from "../metrics/ranges.ts";
import { failureOf } from "../text/failure.ts";
import type { Api } from "../contract/api.ts";

/** The comparison with an id; CPU for an unknown one. */
export const comparedBy = (id: string | null) => COMPARED.find((each) => each.id === id) ?? COMPARED[0]!;

/** Data of the page. */
export interface ComparisonData {
  /** A line for each of `vms`; null where there are none. */
  readonly set: ChartSet | null;
  /** The host is {@link HOST_LINE}. */
  readonly vms: readonly { readonly id: string; readonly name: string }[];
  /** How many were asked for that are not there, or not to be seen. */
  readonly missing: number;
}

/** A VM, or the host, with its past; null where it is not there, or not to be seen. */
async function pastOf(
  api: Api,
  id: string,
  metric: string,
  asked: ReturnType<typeof rangeInput>,
): Promise<ComparedPast & { readonly id: string; readonly name: string } | null> {
  const chart = comparedBy(metric), series = chart.series.map(({ name }) => name);
  try {
    if (id === HOST_LINE) {
      const [{ hostname }, history] = await Promise.all([
        api.getHostInfo(),
        api.getHostMetrics({ series, ...asked }),
      ]);
      return { id, name: hostname, history, chart: ofHost(chart) };
    }
    const [{ name }, history] = await Promise.all([
      api.getVm({ vmId: id }),
      api.getHistoricalMetrics({ vmId: id, series, ...asked }),
    ]);
    return { id, name, history, chart };
  } catch (error) {
    const { code, status } = failureOf(error);
    if (code === "VmNotFound" || (id === HOST_LINE && status === 403)) return null;
    throw error;
  }
}

/** Reads one figure of several VMs, and of the host. @param now milliseconds since 1970 @throws what the commands throw */
export async function readComparison(
  api: Api,
  vmIds: readonly string[],
  metric: string,
  range: PageRange,
  now: number,
): Promise<ComparisonData> {
  const asked = rangeInput(range, now);
  const found = (await Promise.all(vmIds.map((id) => pastOf(api, id, metric, asked)))).filter((each) =>
    each !== null
  );
  return {
    set: comparedSet(found),
    vms: found.map(({ id, name }) => ({ id, name })),
    missing: vmIds.length - found.length,
  };
}
