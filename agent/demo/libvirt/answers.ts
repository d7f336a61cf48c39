/**
 * The demo's answers in the place of libvirt's test driver, or its changes of that driver's answers: one row
 * per call.
 */
import { deflateSync } from "node:zlib";
import type { CallArgs, CallName, CallResult, DomainRecord, PoolRecord } from "../../../ffi/calls/mod.ts";
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import { libraryVersion } from "../../../ffi/library.ts";
import { encodePng } from "../../../lib/formats/png/png.ts";
import { shrink } from "../../../lib/formats/png/image.ts";
import { GIB, MIB } from "../../../lib/text/byte_units.ts";
import type { DemoScreen } from "../screen/screen.ts";
import type { DemoHost } from "../world/hosts.ts";
import { idOf, macOf, simulatedVolume } from "../world/node_xml.ts";
import { DEMO_VMS } from "../world/vms.ts";
import { domainCapabilitiesXml, nodeRecord } from "./capabilities.ts";
import type { Counters } from "./counters.ts";
import { deviceXmls, FILTERS } from "./devices.ts";
import { dressed, dressedRecord, undressed } from "./dress.ts";
import { agentAnswer, guestParams, requireAgent, simulatedAddresses } from "./guest.ts";
import type { SimulatedSubject, Subjects } from "./subjects.ts";

/** Context of a row. */
export interface AnswerContext {
  readonly host: DemoHost;
  readonly subjects: Subjects;
  readonly counters: Counters;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The screen of a running VM. */
  screenOf(uuid: string, subject: SimulatedSubject): DemoScreen;
}

type Answer<N extends CallName> = (
  context: AnswerContext,
  args: CallArgs<N>,
  ask: (args: CallArgs<N>) => Promise<CallResult<N>>,
) => CallResult<N> | Promise<CallResult<N>>;

/** Answers by call. */
export type SimulatedAnswers = { readonly [N in CallName]?: Answer<N> };

/** Seconds that a lease has left. */
const LEASE_SECONDS = 2400;
const none = () => null;
const deflate = (bytes: Uint8Array) => deflateSync(bytes, { level: 6 });

/** @throws {LibvirtError} as libvirt says it of a VM that is off */
function running({ subjects }: AnswerContext, uuid: string): SimulatedSubject {
  const found = subjects.find(uuid);
  if (found === undefined) throw new LibvirtError({ code: VIR_ERR.NO_DOMAIN, message: "Domain not found" });
  if (found.live === undefined) {
    throw new LibvirtError({ code: VIR_ERR.OPERATION_INVALID, message: "domain is not running" });
  }
  return found;
}

/** A record with what its live XML says. */
function told<R extends DomainRecord | null>({ subjects }: AnswerContext, record: R): R {
  return record === null ? record : dressedRecord(record, subjects.find(record.uuid)?.live) as R;
}

/** A row that acts on a VM and reads it. */
const acting = async <A, R extends DomainRecord | null>(
  context: AnswerContext,
  args: A,
  ask: (args: A) => Promise<R>,
): Promise<R> => told(context, await ask(args));

/** The same for what begins to run: its uptime and its counters begin. */
const starting = async <A extends { readonly uuid: string }, R extends DomainRecord | null>(
  context: AnswerContext,
  args: A,
  ask: (args: A) => Promise<R>,
): Promise<R> => {
  const record = await ask(args);
  context.subjects.started(args.uuid);
  context.counters.forget(args.uuid);
  return told(context, record);
};

/** A row for a call with a definition. */
const defining = <A extends { readonly xml: string }, R>(
  _context: AnswerContext,
  args: A,
  ask: (args: A) => Promise<R>,
): Promise<R> => ask({ ...args, xml: undressed(args.xml) });

/** A row for a call with a definition and the former one. */
const changing = async <A extends { readonly from: string }, R>(
  _context: AnswerContext,
  args: A,
  ask: (args: A) => Promise<R>,
): Promise<R> => await ask({ ...args, from: undressed(args.from) });

/** Sizes of volumes that the driver is not told of: it would have no room for them. Bytes by path. */
function allocations(host: DemoHost): ReadonlyMap<string, number> {
  const disks = DEMO_VMS.filter((vm) => vm.host === host.id).flatMap((vm) =>
    vm.disks.map(({ usedGib }, index) => [simulatedVolume(host, vm, index).path, usedGib * GIB] as const)
  );
  const media = host.pools.flatMap(({ path, media: files = [] }) =>
    files.map(([name, mib]) => [`${path}/${name}`, mib * MIB] as const)
  );
  return new Map([...disks, ...media]);
}

/** A volume's XML with what it takes up. */
function withAllocation(host: DemoHost, xml: string): string {
  const path = /<key>([^<]*)<\/key>/.exec(xml)?.[1] ?? "", bytes = allocations(host).get(path);
  return bytes === undefined
    ? xml
    : xml.replace(/(<allocation unit='bytes'>)\d+/, (_whole, head: string) => `${head}${Math.round(bytes)}`);
}

/** A pool with the sizes of the demo's: the driver gives each 100 GiB. */
function sized(host: DemoHost, record: PoolRecord): PoolRecord {
  const known = host.pools.find(({ name }) => name === record.name);
  if (known === undefined || record.state === 0) return record;
  const own = [...allocations(host)].filter(([path]) => path.startsWith(`${known.path}/`));
  const used = own.reduce((sum, [, bytes]) => sum + bytes, known.otherGib * GIB) + record.allocation;
  const capacity = known.capacityGib * GIB, allocation = Math.min(capacity, used);
  return { ...record, capacity, allocation, available: capacity - allocation };
}

export const ANSWERS: SimulatedAnswers = {
  nodeInfo: ({ host }) => nodeRecord(host, libraryVersion()),
  hostName: ({ host }) => host.hostname,
  nodeCounters: ({ counters, subjects }) =>
    counters.node((vm) => subjects.find(idOf(vm))?.live !== undefined),
  domainCapabilities: ({ host }, kind) => domainCapabilitiesXml(host, kind),
  compareCpu: none,
  nodeDevices: ({ host }) => deviceXmls(host),
  filterNames: () => FILTERS.map(({ name }) => name),
  filterScan: () => [...FILTERS],

  domainScan: async (context, args, ask) => (await ask(args)).map((record) => told(context, record)),
  domainRead: acting,
  domainStart: starting,
  domainReset: acting,
  domainDestroy: acting,
  domainSuspend: acting,
  domainResume: acting,
  domainDiscardMemory: acting,
  domainXml: async ({ subjects }, args, ask) => {
    const live = args.inactive ? undefined : subjects.find(args.uuid)?.live;
    return live ?? dressed(await ask(args));
  },
  domainXmls: async ({ subjects }, args, ask) => {
    const { live, next } = await ask(args);
    return { live: live && (subjects.find(args.uuid)?.live ?? dressed(live)), next: dressed(next) };
  },
  domainSavedXml: ({ subjects }, { uuid }) => subjects.stored(uuid),
  domainDefine: defining,
  domainDefineXml: defining,
  domainValidateXml: defining,
  domainRedefine: async (_context, { from, xml, ...args }, ask) => {
    const stored = await ask({ ...args, from: undressed(from), xml: undressed(xml) });
    return stored && dressed(stored);
  },
  domainSetMetadata: changing,
  domainSetAutostart: (_context, args, ask) => ask(args),

  domainStats: ({ subjects, counters }, { uuids, groups }) =>
    uuids.flatMap((uuid) => {
      const subject = subjects.find(uuid);
      return subject?.live === undefined ? [] : [counters.stats(uuid, subject, groups)];
    }),
  domainStatsOne: ({ subjects, counters }, { uuid, groups }) => {
    const subject = subjects.find(uuid);
    return subject?.live === undefined ? null : counters.stats(uuid, subject, groups);
  },
  domainTraffic: (context, { uuid, macs }) => context.counters.traffic(uuid, running(context, uuid), macs),
  domainDiskSizes: ({ subjects }, { uuid, targets }) => {
    const subject = subjects.find(uuid);
    if (subject?.live === undefined) return [];
    const disks = subject.summary.disks.filter(({ device }) => device === "disk");
    return disks.flatMap(({ target }, index) => {
      const disk = subject.vm.disks[index];
      if (disk === undefined || !targets.includes(target)) return [];
      return [{ target, capacity: disk.gib * GIB, allocation: disk.usedGib * GIB }];
    });
  },
  domainAddresses: (context, { uuid }) => simulatedAddresses(context.host, running(context, uuid)),
  domainScreenshot: (context, { uuid, mostWidth }) => {
    const picture = context.screenOf(uuid, running(context, uuid)).draw();
    const shown = mostWidth === undefined || picture.width <= mostWidth
      ? picture
      : shrink(picture, mostWidth);
    return { png: new Uint8Array(encodePng(shown, deflate)), width: shown.width, height: shown.height };
  },
  domainSendKeys: none,
  // Passwords of screens that lead nowhere, and files that are none
  domainUpdateDevice: none,
  nvramErase: none,

  agentCommand: (context, { uuid, command }) => agentAnswer(running(context, uuid), command),
  guestInfo: (context, { uuid }) => guestParams(context.host, running(context, uuid), context.now()),
  domainFreeze: (context, { uuid }) => {
    requireAgent(running(context, uuid));
    return 2;
  },
  domainThaw: (context, { uuid }) => {
    requireAgent(running(context, uuid));
    return 2;
  },
  guestSetTime: (context, { uuid }) => {
    requireAgent(running(context, uuid));
    return null;
  },
  guestSetPassword: (context, { uuid }) => {
    requireAgent(running(context, uuid));
    return null;
  },
  guestSshKeys: (context, { uuid }) => {
    requireAgent(running(context, uuid));
    return [];
  },
  guestChangeSshKeys: (context, { uuid }) => {
    requireAgent(running(context, uuid));
    return null;
  },

  snapshotXml: async (_context, args, ask) => dressed(await ask(args)),
  snapshotScan: async (_context, args, ask) =>
    (await ask(args)).map((record) => ({ ...record, xml: dressed(record.xml) })),

  networkLeases: ({ host, now }, { name }) => {
    const subnet = host.networks.find((network) => network.name === name)?.subnet;
    if (subnet === undefined) return [];
    return DEMO_VMS.filter((vm) => vm.host === host.id && vm.state === "running").flatMap((vm) =>
      vm.networks.flatMap(([network, last], index) =>
        network !== name ? [] : [{
          mac: macOf(vm, index),
          address: `${subnet}.${last}`,
          prefix: 24,
          hostname: vm.name,
          clientId: "",
          expires: Math.floor(now() / 1000) + LEASE_SECONDS,
        }]
      )
    );
  },

  poolScan: async ({ host }, args, ask) => (await ask(args)).map((record) => sized(host, record)),
  poolRead: async ({ host }, args, ask) => {
    const record = await ask(args);
    return record && sized(host, record);
  },
  volumeScan: async ({ host }, args, ask) =>
    (await ask(args)).map((record) => ({ ...record, xml: withAllocation(host, record.xml) })),
  volumeAt: async ({ host }, args, ask) => {
    const record = await ask(args);
    return { ...record, xml: withAllocation(host, record.xml) };
  },
  volumeNamed: async ({ host }, args, ask) => {
    const record = await ask(args);
    return { ...record, xml: withAllocation(host, record.xml) };
  },
};
