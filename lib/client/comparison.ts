/** What the page that compares VMs shows: read by its route first, then by its island. */
import type { MetricHistory } from "../contract/metrics.ts";
import { type ChartSet, comparedSet } from "../metrics/chart_data.ts";
import { COMPARED } from "../metrics/charts.ts";
import { type PageRange, rangeInput } from "../metrics/ranges.ts";
import { failureOf } from "../text/failure.ts";
import type { Api } from "./api.ts";

/** What VMs are compared by, by its id; CPU where there is none of that id. */
export const comparedBy = (id: string | null) => COMPARED.find((each) => each.id === id) ?? COMPARED[0]!;

/** What there is to show. */
export interface ComparisonData {
  /** A line for each of `vms`; null where there are none. */
  readonly set: ChartSet | null;
  readonly vms: readonly { readonly id: string; readonly name: string }[];
  /** How many were asked for that are not there, or not to be seen. */
  readonly missing: number;
}

/** A VM with its past; null where it is not there, or not to be seen. */
async function pastOf(
  api: Api,
  vmId: string,
  metric: string,
  asked: ReturnType<typeof rangeInput>,
): Promise<{ id: string; name: string; history: MetricHistory } | null> {
  const series = comparedBy(metric).series.map(({ name }) => name);
  try {
    const [{ id, name }, history] = await Promise.all([
      api.getVm({ vmId }),
      api.getHistoricalMetrics({ vmId, series, ...asked }),
    ]);
    return { id, name, history };
  } catch (error) {
    if (failureOf(error).code === "VmNotFound") return null;
    throw error;
  }
}

/** Reads one figure of several VMs. @param now milliseconds since 1970 @throws what the commands throw */
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
    set: comparedSet(found.map(({ history }) => history), comparedBy(metric)),
    vms: found.map(({ id, name }) => ({ id, name })),
    missing: vmIds.length - found.length,
  };
}
