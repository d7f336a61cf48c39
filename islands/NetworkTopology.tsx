import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Empty } from "../components/kit/Empty.tsx";
import { TopologyDrawing } from "../components/topology/TopologyDrawing.tsx";
import { TopologyLegend } from "../components/topology/TopologyLegend.tsx";
import { TopologyTables } from "../components/topology/TopologyTables.tsx";
import { api } from "../lib/client/api.ts";
import { usePanZoom } from "../lib/client/use_pan_zoom.ts";
import { networkChanges, useQuery } from "../lib/client/use_query.ts";
import type { Topology } from "../lib/contract/topology.ts";
import { topologyHref } from "../lib/topology/describe.ts";
import { topology as texts } from "../lib/i18n/en/topology.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { topologyLayout } from "../lib/topology/layout.ts";
import { relatives, stopsOf } from "../lib/topology/walk.ts";

const { t } = textsOf(texts);

/** Milliseconds between looks: addresses and the host's devices change without an event. */
const LOOK_MS = 8000;

/** Props of {@link NetworkTopology}. */
export interface NetworkTopologyProps {
  topology: Topology;
  view: "picture" | "table";
  /** Groups that show all their VMs. */
  open: readonly string[];
}

/** The picture of the network, live: it can be moved, zoomed and walked with the keys. Or the same as tables. */
export default function NetworkTopology({ topology, view, open }: NetworkTopologyProps) {
  const { value } = useQuery<Topology>({
    first: topology,
    read: () => api.getNetworkTopology(),
    follow: networkChanges,
    everyMs: LOOK_MS,
  });
  if (view === "table") return <TopologyTables topology={value.value} />;
  return <Drawing topology={value.value} first={open} />;
}

function Drawing({ topology, first }: { topology: Topology; first: readonly string[] }) {
  const open = useSignal<readonly string[]>(first);
  const looked = useSignal<string | null>(null);
  const stop = useSignal<string | undefined>(undefined);
  const frame = useRef<HTMLDivElement>(null);
  const picture = useMemo(() => topologyLayout(topology, new Set(open.value)), [topology, open.value]);
  const stops = stopsOf(picture);
  const byId = new Map(stops.map((each) => [each.id, each]));
  const node = looked.value === null ? undefined : byId.get(looked.value)?.node;
  const lit = node === undefined ? null : relatives(picture, node);
  if (lit && looked.value !== null) lit.add(looked.value);

  const foldHref = (group: string) =>
    topologyHref(
      open.value.includes(group) ? open.value.filter((each) => each !== group) : [...open.value, group],
    );
  const map = usePanZoom(frame, picture, stops, {
    look: (id) => looked.value = id,
    reach: (id) => stop.value = id,
    fold: (href) => {
      open.value = new URL(href, location.href).searchParams.getAll("open");
      history.replaceState(null, "", href);
    },
  });
  // Without script every stop is reached by the tabulator; with it one, and the arrow keys go on from there.
  useEffect(() => {
    stop.value = stops[0]?.id;
  }, []);
  const reached = stop.value !== undefined && byId.has(stop.value) ? stop.value : stops[0]?.id;

  if (picture.nodes.length === 0) {
    return (
      <Empty icon="network" title={t("topology.empty")}>
        <p>{t("topology.empty_what")}</p>
      </Empty>
    );
  }
  return (
    <div class="topo-page">
      {topology.devicesUnavailable !== undefined && (
        <p class="text-muted">{t("topology.devices_unavailable", { reason: topology.devicesUnavailable })}</p>
      )}
      <div class="topo-bar">
        <TopologyLegend states={new Set(topology.vms.map(({ state }) => state))} />
        <div class="topo-tools needs-script" role="group" aria-label={t("topology.scale_of")}>
          <button
            type="button"
            class="button"
            aria-label={t("topology.zoom_out")}
            onClick={() => map.zoom(-1)}
          >
            −
          </button>
          <output class="topo-scale">
            {t("topology.scale", { percent: Math.round(map.scale * 100) })}
          </output>
          <button type="button" class="button" aria-label={t("topology.zoom_in")} onClick={() => map.zoom(1)}>
            +
          </button>
          <button type="button" class="button" onClick={map.fit}>{t("topology.zoom_fit")}</button>
        </div>
      </div>
      <div class="topo-frame" ref={frame} tabIndex={-1}>
        <TopologyDrawing
          picture={picture}
          scale={map.scale}
          lit={lit}
          stop={stop.value === undefined ? undefined : reached}
          foldHref={foldHref}
        />
      </div>
    </div>
  );
}
