import { HttpError } from "fresh";
import {
  type MonitoredSubject,
  type MonitoringData,
  type MonitoringQuery,
  partsIn,
  readLiveSeed,
  readMonitoring,
} from "../../lib/client/monitoring.ts";
import { MARKED_COMMANDS } from "../../lib/contract/marked_commands.ts";
import type { LiveSeed } from "../../lib/metrics/live_seed.ts";
import type { Mark } from "../../lib/metrics/marks.ts";
import { withLinks } from "../../lib/vm/activity_links.ts";
import { rangeIn } from "../../lib/metrics/ranges.ts";
import type { PageState } from "../../lib/page_state.ts";
import { failureOf } from "../../lib/text/failure.ts";
import { fail } from "./fail.ts";
import { finishesWithin } from "./long_work.ts";

/** Props of a page of graphs. */
export interface ShownMonitoring {
  readonly query: MonitoringQuery;
  /** Null where metrics cannot be read: why not is in `trouble`. */
  readonly data: MonitoringData | null;
  readonly trouble: string | null;
  readonly now: number;
}

/** The time range and the parts that an address asks for. */
export function monitoringQuery({ searchParams }: URL, now: number): MonitoringQuery {
  return { range: rangeIn(searchParams, now), parts: partsIn(searchParams) };
}

/** Carries something out on the metrics; what they cannot give is told on the page, not instead of it. */
export async function unlessUnavailable<T>(
  read: () => Promise<T>,
): Promise<{ readonly data: T | null; readonly trouble: string | null }> {
  try {
    return { data: await read(), trouble: null };
  } catch (error) {
    if (error instanceof HttpError) throw error;
    const { code, why } = failureOf(error);
    return code === "MetricsUnavailable" ? { data: null, trouble: why } : fail(error);
  }
}

/** Milliseconds that a page waits for what its graphs begin with: without it they begin empty. */
const SEED_WAIT_MS = 200;

/** First samples of live graphs; undefined if they cannot be read, may not be seen, or are late. @throws {HttpError} */
export async function liveSeedOf(
  api: PageState["api"],
  subject: { readonly vmId?: string },
): Promise<LiveSeed[]> {
  const read = readLiveSeed(api, subject, Date.now()).catch((error) => {
    const { code, status } = failureOf(error);
    return code === "MetricsUnavailable" || status === 403 ? [] : fail(error);
  });
  return await finishesWithin(read, SEED_WAIT_MS) ? await read : [];
}

/** Samples and graphs of a subject for its page. @throws {HttpError} */
export async function shownMonitoring(
  api: PageState["api"],
  subject: MonitoredSubject,
  url: URL,
): Promise<ShownMonitoring> {
  const now = Date.now(), query = monitoringQuery(url, now);
  const { data, trouble } = await unlessUnavailable(() =>
    readMonitoring(api, subject, query, MARKED_COMMANDS, now)
  );
  return {
    query,
    now,
    data: data && { ...data, marks: await linkedMarks(api, subject, data.marks) },
    trouble,
  };
}

/** Marks of which each leads to its VM only where that is still there. @throws {HttpError} */
async function linkedMarks(
  api: PageState["api"],
  { vmId }: MonitoredSubject,
  marks: readonly Mark[],
): Promise<readonly Mark[]> {
  if (vmId !== undefined || marks.length === 0) return marks;
  const vms = await api.getVms().catch((error) => failureOf(error).status === 403 ? [] : fail(error));
  const entries = withLinks(marks.map(({ entry }) => entry), vms);
  return marks.map((mark, index) => ({ ...mark, entry: entries[index]! }));
}
