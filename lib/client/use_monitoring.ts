/** A page of graphs: what it shows, kept up to date, and the range it shows it of, kept in the address. */
import { computed, type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { DEFAULT_RANGE, type PageRange, rangeBetween, rangeIn } from "../metrics/ranges.ts";
import { live } from "./live.ts";
import { monitoringHref, type MonitoringQuery, partsIn } from "./monitoring.ts";
import { whenChanged } from "./query.ts";
import { useQuery } from "./use_query.ts";

/** Milliseconds from one reading to the next: as often as figures are stored. */
const REREAD_MS = 30_000;

/** Options of {@link useMonitoring}. */
export interface UseMonitoring<T> {
  /** Data that the page was rendered with. */
  readonly first: T;
  readonly query: MonitoringQuery;
  readonly read: (query: MonitoringQuery, now: number) => Promise<T>;
  /** The VM whose events are shown; undefined: all that are told of. */
  readonly vmId?: string | undefined;
  /** Further parameters of the address. */
  readonly more?: readonly (readonly [string, string])[];
}

/** State of a page of graphs. */
export interface MonitoringPage<T> {
  readonly data: ReadonlySignal<T>;
  readonly query: ReadonlySignal<MonitoringQuery>;
  /** Shows a range, in milliseconds since 1970. It is a step of the browser's history. */
  readonly zoom: (from: number, to: number) => void;
  /** Shows what was shown before. */
  readonly back: () => void;
}

/** Shows a range, and another when somebody drags over a graph or goes back. */
export function useMonitoring<T>({ first, query, read, vmId, more }: UseMonitoring<T>): MonitoringPage<T> {
  const asked = useSignal(query);
  const { value, reread } = useQuery<T>({
    first,
    read: () => read(asked.peek(), Date.now()),
    follow: whenChanged(
      computed(() => live.activity.value.find((entry) => vmId === undefined || entry.vmId === vmId)?.id),
    ),
    everyMs: REREAD_MS,
  });
  const show = (range: PageRange) => {
    asked.value = { ...asked.peek(), range };
    void reread();
  };
  const go = (range: PageRange) => {
    history.pushState(
      { zoomed: true },
      "",
      monitoringHref(location.pathname, { ...asked.peek(), range }, more),
    );
    show(range);
  };
  useEffect(() => {
    const onPop = () => {
      const search = new URLSearchParams(location.search);
      asked.value = { range: rangeIn(search, Date.now()), parts: partsIn(search) };
      void reread();
    };
    addEventListener("popstate", onPop);
    return () => removeEventListener("popstate", onPop);
  }, []);
  return {
    data: value,
    query: asked,
    zoom: (from, to) => go(rangeBetween(from, to, Date.now())),
    back: () => {
      if (history.state?.zoomed === true) history.back();
      else if (!("window" in asked.peek().range)) go(DEFAULT_RANGE);
    },
  };
}
