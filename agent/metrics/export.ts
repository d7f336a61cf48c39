/** `export_metrics`: what the collectors last took, as text for Prometheus. No call of libvirt's. */
import { setImmediate } from "node:timers/promises";
import type { Handlers } from "../dispatch.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { type AccessWorld, viewerOf } from "../access/authorise.ts";
import { ALL_RIGHTS, may } from "../../lib/access/rights.ts";
import { seesHost, seesVm, type Viewer } from "../../lib/access/viewer.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { JOB_STATES } from "../../lib/contract/jobs.ts";
import { hostField } from "../../lib/contract/on_host.ts";
import type { metricExportCommands } from "../../lib/contract/metrics.ts";
import { readNetwork } from "../../lib/formats/xml/network_read.ts";
import {
  exposition,
  labelSet,
  type MetricFamily,
  NO_LABELS,
  type Sample,
} from "../../lib/formats/exposition.ts";
import { exportedFamilies, type ExportedPool, type ExportedVm } from "../../lib/metrics/exported.ts";
import { VERSION } from "../../lib/version.ts";
import type { Collector } from "./collector.ts";
import { readPools } from "./host_reading.ts";
import { fileBytes } from "./metric_file.ts";
import { answered } from "./vm_stats.ts";
import { MIB } from "../../lib/text/byte_units.ts";
import type { HostRegistry } from "../hosts/registry.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { Settings } from "../settings.ts";
import type { MetricStore } from "./metric_store.ts";

/** Sources of the export in addition to figures of hosts. */
export interface ExportSources {
  readonly hosts: HostRegistry;
  readonly places: Pick<AccessWorld, "vm" | "vmsOn">;
  readonly jobs: Pick<Jobs, "list">;
  readonly metrics: Pick<MetricStore, "path" | "trouble">;
  readonly settings: Pick<Settings, "metricsEndpoint">;
}

/** A host, and what takes its figures. */
export interface ExportedHost {
  readonly host: LibvirtHost;
  readonly collector: Pick<Collector, "latest">;
}

/** libvirt's number of a VM's state that is not known from its record. */
const NO_STATE = 0;

/** The VMs of a host that somebody may see. */
function vmsOf({ host, collector }: ExportedHost, viewer: Viewer): ExportedVm[] {
  const readings = new Map(
    collector.latest?.records.filter(answered).map(({ uuid, params }) => [uuid, params]),
  );
  const bridges = new Map(
    host.inventory.networks.records().map(({ name, xml }) => [name, readNetwork(xml).bridge]),
  );
  return host.inventory.vms().filter(({ id }) => seesVm(viewer, id)).map((vm): ExportedVm => ({
    name: vm.name,
    id: vm.id,
    ...hostField(host.id),
    state: host.inventory.record(vm.id)?.state ?? NO_STATE,
    virtualCpus: vm.cpuCount,
    memoryBytes: vm.memoryMb * MIB,
    maximumMemoryBytes: vm.maxMemoryMb * MIB,
    reading: readings.get(vm.id),
    bridgeOf: (device) => {
      const card = vm.networkInterfaces.find(({ target }) => target === device);
      if (card?.type === "bridge") return card.network;
      return card === undefined ? undefined : bridges.get(card.network);
    },
  }));
}

const poolsOf = ({ host }: ExportedHost): ExportedPool[] =>
  host.inventory.storage.records().filter((pool) => Object.keys(readPools([pool])).length > 0)
    .map(({ name, capacity, allocation }) => ({ name, capacity, allocation, ...hostField(host.id) }));

const gauge = (name: string, help: string, samples: readonly Sample[]): MetricFamily => ({
  name,
  kind: "gauge",
  help,
  samples,
});

/** Metrics of the hosts, and of KVM Manager itself. */
function* ownFamilies(
  { jobs, metrics }: ExportSources,
  hosts: readonly ExportedHost[],
  seesHost: boolean,
): Generator<MetricFamily> {
  const ofHosts = (of: (each: ExportedHost) => number): Sample[] =>
    hosts.map((each) => [labelSet(hostField(each.host.id)), of(each)]);
  yield gauge(
    "libvirt_up",
    "Whether libvirt answers, and its figures are of now",
    ofHosts(({ host, collector }) => Number(host.link.status.connected && collector.latest !== undefined)),
  );
  yield gauge("kvm_manager_build_info", "Version of KVM Manager", [[labelSet({ version: VERSION }), 1]]);
  yield gauge(
    "kvm_manager_reading_timestamp_seconds",
    "When the figures were taken",
    ofHosts(({ collector }) => (collector.latest?.takenAt ?? NaN) / 1000),
  );
  if (!seesHost) return;
  yield gauge(
    "kvm_manager_jobs",
    "Jobs that are known, by state",
    JOB_STATES.map((state) => [
      labelSet({ state }),
      jobs.list(Infinity).filter((job) => job.state === state).length,
    ]),
  );
  yield gauge(
    "kvm_manager_metrics_store_up",
    "Whether figures are stored",
    [[NO_LABELS, Number(metrics.trouble === null)]],
  );
  yield gauge("kvm_manager_metrics_store_bytes", "Size of the stored figures", [[
    NO_LABELS,
    fileBytes(metrics.path),
  ]]);
  yield gauge(
    "kvm_manager_resident_memory_bytes",
    "Memory that KVM Manager holds",
    [[NO_LABELS, Deno.memoryUsage().rss]],
  );
}

/** All that is exported of one host; of the local one KVM Manager's own figures, too. */
export function* familiesOfHost(app: ExportSources, each: ExportedHost): Generator<MetricFamily> {
  const viewer = viewerOf({ rights: ALL_RIGHTS, name: "kvm-manager" }, app.places);
  yield* ownFamilies(app, [each], each.host === app.hosts.local);
  yield* exportedFamilies(vmsOf(each, viewer), poolsOf(each));
}

/** Pieces of a text as a stream. Between two of them others get their turn, and none is made before it is wanted. */
function streamOf(pieces: Iterator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      await setImmediate();
      const { done, value } = pieces.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  }, { highWaterMark: 1 });
}

/** The handler. With content it gives a stream; the answer's text is empty then. */
export function exportHandlers(
  app: ExportSources,
  hosts: () => readonly ExportedHost[],
): Pick<Handlers, keyof typeof metricExportCommands> {
  return {
    export_metrics: async ({ format = "openmetrics" }, { principal, content }) => {
      if (app.settings.metricsEndpoint === "off") {
        throw new ContractError("MetricsUnavailable", {
          reason: "they are not exported. Start KVM Manager with --metrics-endpoint=token",
        });
      }
      const { rights } = principal, viewer = viewerOf(principal, app.places);
      const all = hosts().filter(({ host }) => seesHost(viewer, host.id));
      const pools = all.filter(({ host }) => may(rights, "storage.view", { hostId: host.id })).flatMap(
        poolsOf,
      );
      const families = function* () {
        yield* ownFamilies(app, all, may(rights, "host.view", "everything"));
        yield* exportedFamilies(all.flatMap((each) => vmsOf(each, viewer)), pools);
      };
      const pieces = exposition(families(), format);
      if (content?.answer !== undefined) {
        content.answer(streamOf(pieces));
        return { text: "" };
      }
      let text = "";
      for (const piece of pieces) {
        text += piece;
        await setImmediate();
      }
      return { text };
    },
  };
}
