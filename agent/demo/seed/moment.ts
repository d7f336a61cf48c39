/** Shared by all seeds: the moment of the demo, and times before it. */
import { uuidOf } from "../world/chance.ts";
import { idOf } from "../world/node_xml.ts";
import { DEMO_VMS, type DemoVm } from "../world/vms.ts";
import { DAY_MS } from "../../../lib/duration.ts";
import type { Store } from "../../store/store.ts";

export interface Seeding {
  readonly store: Store;
  readonly dataDir: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const HOUR_MS = DAY_MS / 24, MINUTE_MS = HOUR_MS / 60;

/** A time of day some days ago, in the host's own time zone; never after now. Milliseconds since 1970. */
export function daysAgo(now: number, days: number, hour: number, minute = 0): number {
  const date = new Date(now - days * DAY_MS);
  date.setHours(hour, minute, 0, 0);
  return Math.min(date.getTime(), now - MINUTE_MS);
}

/** The VM of a name. */
export function vmNamed(name: string): DemoVm & { readonly id: string } {
  const vm = DEMO_VMS.find((each) => each.name === name);
  if (vm === undefined) throw new Error(`the demo has no VM ${name}`);
  return { ...vm, id: idOf(vm) };
}

/** VMs with a tag. */
export const vmsTagged = (tag: string): (DemoVm & { readonly id: string })[] =>
  DEMO_VMS.filter(({ tags }) => tags.includes(tag)).map(({ name }) => vmNamed(name));

/** The id of something that is kept. */
export const idFor = (noun: string, name: string): string => uuidOf(`${noun} ${name}`);
